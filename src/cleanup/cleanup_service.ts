import { E_CLEANUP_RUNNING } from '../errors.ts'
import type { RedisClient } from '../transport/client.ts'
import { type Lead, Leadership } from '../transport/leadership.ts'
import type { Cleanup, CleanupDependencies } from './cleanup.ts'

type CleanupServiceOptions = Pick<
  CleanupDependencies,
  'transport' | 'config' | 'logger' | 'now'
> & {
  cleanup: Cleanup
  /** For tests: length of the lease and pause between looks, ms. */
  lease?: number
  look?: number
}

const LEASE = 15_000
const LOOK = 1_000
const AFTER_FAILURE = 10_000

/**
 * Cleans up at the start and then again and again, in one of all processes that run this service. A process that takes over from one that
 * died goes on when the next run is due; only one that begins to lead as it starts does a run at the start.
 */
export class CleanupService {
  #options: CleanupServiceOptions
  #leadership: Leadership

  constructor(options: CleanupServiceOptions) {
    this.#options = options
    const { transport, logger, lease = LEASE, look = LOOK } = options
    this.#leadership = new Leadership(
      { transport, logger, name: 'cleanup', lease, every: look, afterFailure: AFTER_FAILURE },
      async (lead) => {
        if (lead.isStart || (await this.#isDue(lead.redis))) await this.#clean(lead)
      }
    )
  }

  get owner(): string {
    return this.#leadership.owner
  }

  /** Whether this is the process that cleans up. */
  get isLeader(): boolean {
    return this.#leadership.isLeader
  }

  /** Starts to wait for the lead. Never throws: what is away is waited for. */
  start(): void {
    this.#leadership.start()
  }

  /** Ends after the transaction under way and gives the lead back. Takes at most some seconds, also when Redis or SQL is away. */
  async stop(): Promise<void> {
    await this.#leadership.stop()
  }

  async #isDue(redis: RedisClient): Promise<boolean> {
    const { cleanup, transport, now, config } = this.#options
    const [newest] = await cleanup.runs({ limit: 1, real: true })
    if (!newest) return true
    const time = now ? now() : await transport.time(redis)
    /** One from the future was recorded by another clock. */
    return time >= newest.startedAt + config.cleanup.every || newest.startedAt > time + 60_000
  }

  async #clean({ isStart, signal }: Lead): Promise<void> {
    const { cleanup, logger } = this.#options
    try {
      const trigger = isStart ? 'start' : 'schedule'
      const run = await cleanup.run({ trigger, actor: 'queuedeck', signal })
      const gone = Object.entries(run.counts).filter(([, n]) => n > 0)
      if (gone.length > 0 || run.error !== null) {
        const took = run.endedAt! - run.startedAt
        logger.info({ counts: Object.fromEntries(gone), took, error: run.error }, 'Cleaned up')
      }
    } catch (error) {
      if (error instanceof E_CLEANUP_RUNNING) return
      if (!signal.aborted) logger.warn({ err: error }, 'Cleanup: did not end')
      throw error
    }
  }
}
