import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import { readMirrorStatus } from './mirror_status.ts'
import type { MirrorLogger } from './ports.ts'

/** How to tell two applications apart. */
export const TWO_DATABASES =
  'give each of two applications a "prefix" of its own in config/queuedeck.ts, or, where they are meant to be one, the same database'

/**
 * Notices that another application with the same prefix writes records into a database of its own: each of the two would take the
 * entries that the other has not read.
 */
export class OtherDatabase {
  #said = ''

  constructor(
    private transport: Transport,
    private redis: RedisClient,
    private logger: MirrorLogger
  ) {}

  /** Into which database records were written last, for as long as Redis keeps it. */
  get key(): string {
    return `${this.transport.keys.prefix}~mirror:database`
  }

  /** This process takes the lead. */
  async leads(own: string): Promise<void> {
    const before = await this.redis.getset(this.key, own)
    if (before !== null && before !== own) {
      this.#say(
        before,
        'Mirror: the jobs of this prefix were recorded in another database until now. Where that is not meant, '
      )
    }
  }

  /** Another process has it. */
  async follows(own: string): Promise<void> {
    const status = await readMirrorStatus(this.transport, this.redis)
    const other = status?.database
    if (other === undefined || other === own) this.#said = ''
    else {
      this.#say(
        other,
        `Mirror: ${status!.owner} records the jobs of this prefix in another database than this process: its records lack them. So `
      )
    }
  }

  #say(other: string, what: string): void {
    if (other === this.#said) return
    this.#said = other
    this.logger.warn({ prefix: this.transport.keys.prefix }, what + TWO_DATABASES)
  }
}
