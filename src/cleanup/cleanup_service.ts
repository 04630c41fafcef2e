import { E_CLEANUP_RUNNING } from '../errors.ts'
import type { RedisClient } from '../transport/client.ts'
import { type Lead, LedService } from '../transport/led_service.ts'
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
export class CleanupService extends LedService {
  #options: CleanupServiceOptions

  constructor(options: CleanupServiceOptions) {
    const { transport, logger, lease = LEASE, look = LOOK } = options
    super({ transport, logger, name: 'cleanup', lease, every: look, afterFailure: AFTER_FAILURE })
    this.#options = options
  }

  protected async turn(lead: Lead): Promise<void> {
    if (lead.isStart || (await this.#isDue(lead.redis))) await this.#clean(lead)
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
