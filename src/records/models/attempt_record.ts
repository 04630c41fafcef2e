import { belongsTo, column } from '@adonisjs/lucid/orm'
import type { BelongsTo } from '@adonisjs/lucid/types/relations'
import type { AttemptView } from '../../types.ts'
import { ATTEMPT_OUTCOMES } from '../tables.ts'
import { NameRecord } from './name_record.ts'
import { consume, ReadOnlyRecord } from './read_only_record.ts'

/**
 * One execution of a job.
 */
export class AttemptRecord extends ReadOnlyRecord {
  static table = 'queuedeck_attempts'

  /** With `run` and `attempt` the key. */
  @column({ isPrimary: true, consume: consume.number })
  declare seq: number

  @column()
  declare run: number

  @column()
  declare attempt: number

  @column({ consume: (value) => ATTEMPT_OUTCOMES[Number(value)] })
  declare outcome: AttemptView['outcome']

  @column({ columnName: 'worker_id', serializeAs: null })
  declare workerId: number | null

  @column({ columnName: 'started_at', consume: consume.moment })
  declare startedAt: Date | null

  @column({ columnName: 'finished_at', consume: consume.moment })
  declare finishedAt: Date | null

  @column({ columnName: 'error_code' })
  declare errorCode: string | null

  @column()
  declare error: string | null

  @column()
  declare stack: string | null

  @belongsTo(() => NameRecord, { foreignKey: 'workerId', localKey: 'id' })
  declare worker: BelongsTo<typeof NameRecord>
}
