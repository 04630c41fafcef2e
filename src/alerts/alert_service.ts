import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { wait } from '../mirror/retry.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Lease } from '../transport/lease.ts'
import type { WatchDependencies } from './watch.ts'
import { Watch } from './watch.ts'

export type AlertServiceOptions = WatchDependencies & {
  /** For tests: length of the lease, pause between two turns, name of this host. */
  lease?: number
  turn?: number
  host?: string
}

/** Whoever watches and is killed is replaced after this long, ms. */
const LEASE = 15_000
const TURN = 1_000

/** Pause after something failed, ms. */
const AFTER_FAILURE = 5_000

/** How long stopping may wait for the look under way, ms. */
const PATIENCE = 2_000

/**
 * Watches what rules watch, in one of all processes that run this service: one leads by a lease, the others stand by. The lease saves work
 * and is no guard. Every process by itself watches whether it reaches Redis.
 */
export class AlertService {
  readonly owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

  #options: AlertServiceOptions
  #watch: Watch
  #stopping = new AbortController()
  #running: Promise<void> | undefined
  #watching: Promise<void> | undefined
  #redis: RedisClient | undefined
  #isLeader = false
  /** When Redis last answered, by this process' own clock. */
  #answeredAt = 0
  #delivering: Promise<void> | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: AlertServiceOptions) {
    this.#options = options
    this.#watch = new Watch(options)
  }

  /** Whether this is the process that watches. */
  get isLeader(): boolean {
    return this.#isLeader
  }

  /** Starts to wait for the lead. Never throws: what is away is waited for. */
  start(): void {
    if (this.#running || this.#stopping.signal.aborted) return
    const { transport, lease = LEASE } = this.#options
    this.#redis = transport.connections.open('mirror')
    this.#answeredAt = performance.now()
    const options = { milliseconds: lease, client: this.#redis }
    this.#running = this.#run(transport.lease('alerts', this.owner, options))
    this.#watching = this.#watchRedis()
  }

  /** Ends after the look under way and gives the lead back. Takes at most some seconds, also when Redis or SQL is away. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The process was stopped'))
    if (!this.#running || !this.#redis) return
    const ended = Promise.all([this.#running, this.#watching, this.#delivering])
    /** A Redis that is away would never answer what is asked of it. */
    if (this.#redis.status === 'ready') await Promise.race([ended, wait(PATIENCE)])
    await this.#options.transport.connections.close(this.#redis)
  }

  async #run(lease: Lease): Promise<void> {
    const { signal } = this.#stopping
    const { lease: milliseconds = LEASE, turn = TURN, logger, config } = this.#options
    /** Also while a look takes long. */
    const renewal = setInterval(() => {
      if (this.#isLeader) void this.#acquire(lease).catch(() => {})
    }, milliseconds / 4)
    while (!signal.aborted) {
      try {
        const isDue = performance.now() - this.#lookedAt >= config.alerts.every
        if ((await this.#acquire(lease)) && isDue) {
          this.#lookedAt = performance.now()
          await this.#watch.look(this.#redis!)
        }
        if (this.#isLeader) this.#deliver()
      } catch (error) {
        if (signal.aborted) break
        logger.debug({ err: error }, 'Alerts: interrupted, goes on')
        await wait(Math.min(AFTER_FAILURE, 5 * turn), signal)
      }
      await wait(turn, signal)
    }
    clearInterval(renewal)
    if (this.#isLeader && this.#redis!.status === 'ready') await lease.release().catch(() => false)
    this.#isLeader = false
  }

  async #acquire(lease: Lease): Promise<boolean> {
    this.#isLeader = await lease.acquire()
    this.#answeredAt = performance.now()
    return this.#isLeader
  }

  /** Beside all else: a receiver that is slow holds nobody up. */
  #deliver(): void {
    const { deliverer, logger } = this.#options
    this.#delivering ??= deliverer
      .run(() => this.#watch.now, this.#stopping.signal)
      .catch((error) => logger.debug({ err: error }, 'Alerts: messages wait for the database'))
      .finally(() => (this.#delivering = undefined))
  }

  /**
   * What is asked of a Redis that is away is never answered: a clock of its own notices.
   */
  async #watchRedis(): Promise<void> {
    const { signal } = this.#stopping
    const { config, transport, turn = TURN, host = hostname(), logger } = this.#options
    const settings = config.alerts.rules.redisAway
    if (!settings) return
    /** What another process of this host told, before this one began, is over too once this one reaches Redis. */
    let isTold = true
    while (!signal.aborted) {
      await wait(turn, signal)
      const silent = performance.now() - this.#answeredAt
      const isAway = silent >= settings.threshold
      try {
        if (isAway) {
          const reason = transport.connections.outage.reason ?? 'it does not answer'
          const text = `Redis cannot be reached from host "${host}": ${reason}`
          await this.#watch.redis(host, { since: this.#watch.now - silent, text })
          isTold = true
          this.#deliver()
          await wait(config.alerts.every - turn, signal)
        } else if (isTold && silent < 2 * turn) {
          await this.#watch.redis(host, null)
          isTold = false
        }
      } catch (error) {
        logger.debug({ err: error }, 'Alerts: that Redis is away cannot be recorded')
        await wait(AFTER_FAILURE, signal)
      }
    }
  }
}
