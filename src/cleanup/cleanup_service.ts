import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { E_CLEANUP_RUNNING } from '../errors.ts'
import { wait } from '../mirror/retry.ts'
import type { RedisClient } from '../transport/client.ts'
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

/** Whoever cleans up and is killed is replaced after this long, ms. */
const LEASE = 15_000
const LOOK = 1_000

/** Pause after something failed, ms. */
const AFTER_FAILURE = 10_000

/** How long stopping may wait for the step under way, ms. */
const PATIENCE = 2_000

/**
 * Cleans up at the start and then again and again, in one of all processes that run this service. One leads by a lease; the others stand
 * by. A process that takes over from one that died goes on when the next run is due; only one that begins to lead as it starts does a
 * run at the start.
 */
export class CleanupService {
  readonly owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

  #options: CleanupServiceOptions
  #stopping = new AbortController()
  #running: Promise<void> | undefined
  #redis: RedisClient | undefined
  #isLeader = false

  constructor(options: CleanupServiceOptions) {
    this.#options = options
  }

  /** Whether this is the process that cleans up. */
  get isLeader(): boolean {
    return this.#isLeader
  }

  /** Starts to wait for the lead. Never throws: what is away is waited for. */
  start(): void {
    if (this.#running || this.#stopping.signal.aborted) return
    this.#redis = this.#options.transport.connections.open('mirror')
    this.#running = this.#run(this.#redis)
  }

  /** Ends after the transaction under way and gives the lead back. Takes at most some seconds, also when Redis or SQL is away. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The process was stopped'))
    if (!this.#running || !this.#redis) return
    /** A Redis that is away would never answer what is asked of it. */
    if (this.#redis.status === 'ready') await Promise.race([this.#running, wait(PATIENCE)])
    await this.#options.transport.connections.close(this.#redis)
  }

  async #run(redis: RedisClient): Promise<void> {
    const { transport, lease: milliseconds = LEASE, look = LOOK, logger } = this.#options
    const { signal } = this.#stopping
    const lease = transport.lease('cleanup', this.owner, { milliseconds, client: redis })
    /** Also while a run is under way. */
    const renewal = setInterval(() => {
      if (!this.#isLeader) return
      lease.acquire().then(
        (isOurs) => (this.#isLeader = isOurs),
        () => {}
      )
    }, milliseconds / 4)
    const startsUntil = performance.now() + 2 * milliseconds
    let hasLed = false
    while (!signal.aborted) {
      try {
        this.#isLeader = await lease.acquire()
        if (this.#isLeader) {
          const isStart = !hasLed && performance.now() < startsUntil
          if (isStart || (await this.#isDue(redis))) await this.#clean(isStart)
          hasLed = true
        }
      } catch (error) {
        if (signal.aborted) break
        logger.debug({ err: error }, 'Cleanup: interrupted, goes on')
        await wait(Math.min(AFTER_FAILURE, 10 * look), signal)
      }
      await wait(look, signal)
    }
    clearInterval(renewal)
    if (this.#isLeader && redis.status === 'ready') await lease.release().catch(() => false)
    this.#isLeader = false
  }

  async #isDue(redis: RedisClient): Promise<boolean> {
    const { cleanup, transport, now, config } = this.#options
    const [newest] = await cleanup.runs({ limit: 1, real: true })
    if (!newest) return true
    const time = now ? now() : await transport.time(redis)
    /** One from the future was recorded by another clock. */
    return time >= newest.startedAt + config.cleanup.every || newest.startedAt > time + 60_000
  }

  async #clean(isStart: boolean): Promise<void> {
    const { cleanup, logger } = this.#options
    try {
      const run = await cleanup.run({
        trigger: isStart ? 'start' : 'schedule',
        actor: 'queuedeck',
        signal: this.#stopping.signal,
      })
      const gone = Object.entries(run.counts).filter(([, n]) => n > 0)
      if (gone.length > 0 || run.error !== null) {
        const took = run.endedAt! - run.startedAt
        logger.info({ counts: Object.fromEntries(gone), took, error: run.error }, 'Cleaned up')
      }
    } catch (error) {
      if (error instanceof E_CLEANUP_RUNNING) return
      if (!this.#stopping.signal.aborted) logger.warn({ err: error }, 'Cleanup: did not end')
      throw error
    }
  }
}
