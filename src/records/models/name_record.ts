import { column } from '@adonisjs/lucid/orm'
import { NAME_KINDS, type StoredNameKind } from '../tables.ts'
import { ReadOnlyRecord } from './read_only_record.ts'

/**
 * A name that jobs refer to by number: of a type, queue, user, host, worker or tag.
 */
export class NameRecord extends ReadOnlyRecord {
  static table = 'queuedeck_names'

  @column({ isPrimary: true })
  declare id: number

  @column({
    consume: (value) =>
      Object.keys(NAME_KINDS).find((kind) => NAME_KINDS[kind as StoredNameKind] === Number(value)),
  })
  declare kind: StoredNameKind

  @column()
  declare name: string
}
