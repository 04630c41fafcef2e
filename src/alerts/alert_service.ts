import { hostname } from 'node:os'
import { wait } from '../time/wait.ts'
import { type Lead, LedService } from '../transport/led_service.ts'
import type { WatchDependencies } from './watch.ts'
import { Watch } from './watch.ts'

export type AlertServiceOptions = WatchDependencies & {
  /** For tests: length of the lease, pause between two turns, longest one between two notes that Redis is away, name of this host. */
  lease?: number
  turn?: number
  touch?: number
  host?: string
}

const LEASE = 15_000
const TURN = 1_000
const AFTER_FAILURE = 5_000

/** Far more often than whoever watches takes the host for gone, however seldom it looks. */
const TOUCH = 30_000

/** A process that goes on later than it wanted by so much was held up itself: stopped, or kept busy by code of a job, ms. */
const HELD_UP = 2_000

/**
 * Watches what rules watch, in one of all processes that run this service. Every process by itself watches whether it reaches Redis.
 */
export class AlertService extends LedService {
  #options: AlertServiceOptions
  #watch: Watch
  #watching: Promise<void> | undefined
  #delivering: Promise<void> | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: AlertServiceOptions) {
    const { transport, logger, lease = LEASE, turn = TURN } = options
    super({ transport, logger, name: 'alerts', lease, every: turn, afterFailure: AFTER_FAILURE })
    this.#options = options
    this.#watch = new Watch(options)
  }

  override start(): void {
    super.start()
    if (!this.signal.aborted) this.#watching ??= this.#watchRedis()
  }

  protected override async beside(): Promise<void> {
    await Promise.all([this.#watching, this.#delivering])
  }

  protected async turn({ redis }: Lead): Promise<void> {
    if (performance.now() - this.#lookedAt >= this.#options.config.alerts.every) {
      this.#lookedAt = performance.now()
      await this.#watch.look(redis)
    }
    if (this.isLeader) this.#deliver()
  }

  /** Beside all else: a receiver that is slow holds nobody up. */
  #deliver(): void {
    const { deliverer, logger } = this.#options
    this.#delivering ??= deliverer
      .run(() => this.#watch.now, this.signal)
      .catch((error) => logger.debug({ err: error }, 'Alerts: messages wait for the database'))
      .finally(() => (this.#delivering = undefined))
  }

  /**
   * What is asked of a Redis that is away is never answered: a clock of its own notices.
   */
  async #watchRedis(): Promise<void> {
    const { signal } = this
    const { config, transport, turn = TURN, touch = TOUCH, logger } = this.#options
    const { host = hostname() } = this.#options
    const settings = config.alerts.rules.redisAway
    if (!settings) return
    const pause = Math.min(config.alerts.every, touch)
    /** What another process of this host told, before this one began, is over too once this one reaches Redis. */
    let isTold = true
    let awakeSince = performance.now()
    while (!signal.aborted) {
      const due = performance.now() + turn
      await wait(turn, signal)
      /** Whoever was held up heard no answer, and Redis may have given them all. */
      if (performance.now() > due + HELD_UP) awakeSince = performance.now()
      const silent = performance.now() - Math.max(this.answeredAt, awakeSince)
      const isAway = silent >= settings.threshold
      try {
        if (isAway) {
          const reason = transport.connections.outage.reason ?? 'it does not answer'
          const text = `Redis cannot be reached from host "${host}": ${reason}`
          await this.#watch.redis(host, { since: this.#watch.now - silent, text })
          isTold = true
          this.#deliver()
          await wait(pause - turn, signal)
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
