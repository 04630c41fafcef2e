import type { LogSink } from '../jobs/job_context.ts'

/**
 * Trouble that is back so soon is the same one, ms: a Redis that is full takes some commands and refuses others.
 */
const SAME_WITHIN = 5_000

/**
 * Tells in the log when Redis goes away and comes back: once each, however many queues and attempts notice.
 */
export class RedisTrouble {
  #since: number | undefined
  #last = { since: 0, ended: -Infinity }
  #toldAt = -Infinity
  #isTold = false

  /**
   * @param reminder how often a lasting trouble is told again, ms
   */
  constructor(
    private logger: LogSink,
    private now: () => number = () => performance.now(),
    private reminder = 60_000
  ) {}

  /** How long Redis has been away, ms; undefined while it is there. */
  get lasting(): number | undefined {
    return this.#since === undefined ? undefined : this.now() - this.#since
  }

  noticed(error: unknown): void {
    const now = this.now()
    if (this.#since === undefined) {
      const isSame = now - this.#last.ended < SAME_WITHIN
      this.#since = isSame ? this.#last.since : now
      if (!isSame) this.#toldAt = -Infinity
    }
    if (now - this.#toldAt < this.reminder) {
      return
    }
    this.#toldAt = now
    this.#isTold = true
    this.logger.warn({ err: error }, 'Redis cannot be used; the worker waits and goes on by itself')
  }

  over(): void {
    if (this.#since === undefined) {
      return
    }
    const ended = this.now()
    const seconds = ((ended - this.#since) / 1_000).toFixed(1)
    this.#last = { since: this.#since, ended }
    this.#since = undefined
    if (this.#isTold) {
      this.#isTold = false
      this.logger.info({}, `Redis is back after ${seconds} s`)
    }
  }
}
