import app from '@adonisjs/core/services/app'
import { BaseModel, beforeDelete, beforeSave } from '@adonisjs/lucid/orm'
import { bytesToUuid } from '../ids.ts'

/**
 * What the models of records share: they live on the connection that config/queuedeck.ts names, and only the mirror writes
 * them.
 */
export class ReadOnlyRecord extends BaseModel {
  static boot(): void {
    if (Object.hasOwn(this, 'booted') && this.booted) return
    super.boot()
    this.connection = app?.config.get<{ database?: string }>('queuedeck', {}).database
  }

  /**
   * @throws Error always: a record says what happened to a job, so it changes by jobs alone
   */
  @beforeSave()
  @beforeDelete()
  static refuse(record: ReadOnlyRecord): void {
    const { name } = record.constructor as typeof ReadOnlyRecord
    throw new Error(
      `${name} is read-only: dispatch, cancel or restart the job instead of changing its record`
    )
  }
}

/** Values as the database has them into values of JavaScript. */
export const consume = {
  id: (value: string | Uint8Array) => (typeof value === 'string' ? value : bytesToUuid(value)),
  moment: (value: number | string | null) => (value === null ? null : new Date(Number(value))),
  number: (value: number | string | null) => (value === null ? null : Number(value)),
  flag: (value: number) => Number(value) === 1,
  positive: (value: number) => Number(value) > 0,
}
