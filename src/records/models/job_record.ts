import { belongsTo, column, hasMany, hasOne } from '@adonisjs/lucid/orm'
import type { BelongsTo, HasMany, HasOne } from '@adonisjs/lucid/types/relations'
import { STATUSES, type JobStatus } from '../../statuses.ts'
import { dialectOf } from '../dialect/names.ts'
import { uuidToBytes } from '../ids.ts'
import { COMPLETED_PROGRESS } from '../tables.ts'
import { AttemptRecord } from './attempt_record.ts'
import { BodyRecord } from './body_record.ts'
import { NameRecord } from './name_record.ts'
import { consume, ReadOnlyRecord } from './read_only_record.ts'

/**
 * The record of one job. Type, queue, user, host and worker are relations to their names:
 *
 * ```ts
 * const job = await JobRecord.findJob(jobId)
 * await job?.load('type')
 * ```
 */
export class JobRecord extends ReadOnlyRecord {
  static table = 'queuedeck_jobs'

  /** Key in SQL; grows in the order in which records were made. */
  @column({ isPrimary: true, consume: consume.number })
  declare seq: number

  /** The job's UUID. To find one by it use `findJob`: databases store it differently. */
  @column({ consume: consume.id })
  declare id: string

  @column({ columnName: 'type_id', serializeAs: null })
  declare typeId: number

  @column({ columnName: 'queue_id', serializeAs: null })
  declare queueId: number

  @column({ columnName: 'user_id', serializeAs: null })
  declare userId: number | null

  @column({ columnName: 'host_id', serializeAs: null })
  declare hostId: number | null

  @column({ columnName: 'worker_id', serializeAs: null })
  declare workerId: number | null

  /** In a `where` compare with `statusCode('failed')`. */
  @column({ consume: (value) => STATUSES[Number(value)] })
  declare status: JobStatus

  /** 0 to 100. */
  @column({
    consume: (value) => (Number(value) >= COMPLETED_PROGRESS ? 100 : Number(value) / 10),
  })
  declare progress: number

  /** Milliseconds; null while there is none. */
  @column({ consume: (value) => (Number(value) < 0 ? null : Number(value)) })
  declare duration: number | null

  @column({ columnName: 'created_at', consume: consume.moment })
  declare createdAt: Date

  @column({ columnName: 'due_at', consume: consume.moment })
  declare dueAt: Date | null

  @column({ columnName: 'started_at', consume: consume.moment })
  declare startedAt: Date | null

  @column({ columnName: 'finished_at', consume: consume.moment })
  declare finishedAt: Date | null

  @column()
  declare run: number

  /** Attempts started in this run. */
  @column()
  declare attempts: number

  @column({ columnName: 'max_attempts' })
  declare maxAttempts: number

  @column()
  declare priority: number

  /** Cancelled, but its code has not returned. */
  @column({ consume: consume.positive })
  declare stopping: boolean

  @column({ columnName: 'is_sensitive', consume: consume.flag })
  declare isSensitive: boolean

  @column({ consume: consume.number })
  declare done: number | null

  @column({ consume: consume.number })
  declare total: number | null

  @column()
  declare unit: string | null

  @column()
  declare stage: string | null

  @column({ columnName: 'error_code' })
  declare errorCode: string | null

  /** The first 500 letters; the attempt has the whole. */
  @column()
  declare error: string | null

  @belongsTo(() => NameRecord, { foreignKey: 'typeId', localKey: 'id' })
  declare type: BelongsTo<typeof NameRecord>

  @belongsTo(() => NameRecord, { foreignKey: 'queueId', localKey: 'id' })
  declare queue: BelongsTo<typeof NameRecord>

  @belongsTo(() => NameRecord, { foreignKey: 'userId', localKey: 'id' })
  declare user: BelongsTo<typeof NameRecord>

  @belongsTo(() => NameRecord, { foreignKey: 'hostId', localKey: 'id' })
  declare host: BelongsTo<typeof NameRecord>

  @belongsTo(() => NameRecord, { foreignKey: 'workerId', localKey: 'id' })
  declare worker: BelongsTo<typeof NameRecord>

  @hasMany(() => AttemptRecord, { foreignKey: 'seq', localKey: 'seq' })
  declare attemptList: HasMany<typeof AttemptRecord>

  @hasOne(() => BodyRecord, { foreignKey: 'seq', localKey: 'seq' })
  declare body: HasOne<typeof BodyRecord>

  /**
   * The record of a job, by its UUID; null when there is none.
   */
  static async findJob(id: string): Promise<JobRecord | null> {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return null
    const query = this.query()
    const isPostgres = dialectOf(query.client.dialect.name) === 'postgres'
    return query.where('id', isPostgres ? id : uuidToBytes(id.toLowerCase())).first()
  }
}
