import type { LogSink } from '../jobs/job_context.ts'

/**
 * Tells in the log when Redis goes away and comes back: once each, however many queues and attempts notice.
 */
export class RedisTrouble {
  #since: number | undefined
  #told = 0

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
    if (this.#since !== undefined && now - this.#told < this.reminder) {
      return
    }
    this.#since ??= now
    this.#told = now
    this.logger.warn({ err: error }, 'Redis cannot be used; the worker waits and goes on by itself')
  }

  over(): void {
    if (this.#since !== undefined) {
      const seconds = ((this.now() - this.#since) / 1_000).toFixed(1)
      this.#since = undefined
      this.logger.info({}, `Redis is back after ${seconds} s`)
    }
  }
}
