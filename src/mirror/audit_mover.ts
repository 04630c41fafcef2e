import type { StoredEntry } from '../transport/audit_trail.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'

/** Entries that one transaction takes. */
const AT_ONCE = 500

/** What writes entries into the records: in one transaction, and the same again changes nothing. */
export type AuditWriter = { write(entries: StoredEntry[]): Promise<void> }

/**
 * Moves what people did from Redis into the records. Runs beside the mirror, so in one process; several at once, or one that is killed
 * between its commit and the removal, do no harm: every action has an id of its own.
 */
export class AuditMover {
  constructor(
    private transport: Pick<Transport, 'trail'>,
    private writer: AuditWriter,
    private redis: RedisClient
  ) {}

  /**
   * Moves all that is there.
   *
   * @returns how many entries went into the records
   */
  async run(): Promise<number> {
    const { trail } = this.transport
    let moved = 0
    for (;;) {
      const found = await trail.waiting(AT_ONCE, this.redis)
      if (found.length === 0) return moved
      /** What another program wrote there is none of ours, and would stand in front for ever. */
      const entries = found.filter((one): one is StoredEntry => one.entry !== null)
      if (entries.length > 0) await this.writer.write(entries)
      await trail.remove(
        found.map(({ streamId }) => streamId),
        this.redis
      )
      moved += entries.length
    }
  }
}
