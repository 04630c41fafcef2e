import type { RedisClient } from '../transport/client.ts'
import type { JobWorker } from './job_worker.ts'
import type { RedisTrouble } from './redis_trouble.ts'

/** With these events a client tells that a connection has ended: its own, or that to a node of its cluster. */
const BREAKS = ['close', '-node']

/**
 * Looks for orphans (see there) after each break of the connection on which jobs are claimed: answers may have been lost with it.
 */
export class LostAnswers {
  #isDue = false
  #looking: Promise<number> | undefined
  #broke = () => {
    this.#isDue = true
  }

  /**
   * @param workers those of all queues
   */
  constructor(
    private client: RedisClient,
    private workers: () => Iterable<JobWorker>,
    private trouble: RedisTrouble
  ) {
    for (const event of BREAKS) client.on(event, this.#broke)
  }

  /**
   * Looks if a connection broke since the last time. While Redis is away that waits for it, and is not joined by a second one.
   *
   * @returns how many jobs were handed back
   */
  look(): Promise<number> {
    if (this.#looking === undefined && !this.#isDue) return Promise.resolve(0)
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  /** Looks no more, but once more where that is due. */
  async stop(): Promise<void> {
    for (const event of BREAKS) this.client.off(event, this.#broke)
    await this.look()
  }

  async #look(): Promise<number> {
    this.#isDue = false
    try {
      const counts = await Promise.all(
        [...this.workers()].map((worker) => worker.orphans.handBack())
      )
      return counts.reduce((sum, count) => sum + count, 0)
    } catch (error) {
      this.#isDue = true
      this.trouble.noticed(error)
      return 0
    }
  }
}
