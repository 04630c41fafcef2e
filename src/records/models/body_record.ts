import { column } from '@adonisjs/lucid/orm'
import { consume, ReadOnlyRecord } from './read_only_record.ts'

/**
 * Payload, options and result of a job: JSON text, exactly as the transport had it, so that long numbers keep their digits.
 * Secrets in them are not redacted.
 */
export class BodyRecord extends ReadOnlyRecord {
  static table = 'queuedeck_bodies'

  @column({ isPrimary: true, consume: consume.number })
  declare seq: number

  @column()
  declare payload: string | null

  @column()
  declare options: string | null

  @column()
  declare result: string | null
}
