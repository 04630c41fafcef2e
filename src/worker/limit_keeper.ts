import type { Transport } from '../transport/transport.ts'
import type { ResolvedConfig } from '../types.ts'
import type { RedisTrouble } from './redis_trouble.ts'

/**
 * Time between two looks at whether the limits are in force, ms: a Redis that was emptied limits nothing for so long.
 */
const PERIOD = 2_000

/**
 * Looks from one repair of the queues to the next: a signal that was lost holds a job back no longer than so many periods.
 */
const LOOKS_PER_SWEEP = 3

/**
 * Looks that a worker leaves out while another one repairs: that one's lease lasts longer, and a hundred workers would ask Redis
 * fifty times a second who it is.
 */
const LOOKS_LEFT_OUT = 2

/**
 * Says at the start what the configuration limits, and repairs limits while it lives: those that Redis lost and signals that
 * never came. One process at a time does so.
 */
export class LimitKeeper {
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #configured = false
  #keeps = false
  #looks = 0
  #leftOut = 0

  constructor(
    private owner: string,
    private config: ResolvedConfig,
    private transport: Transport,
    private trouble: RedisTrouble
  ) {}

  /** Resolves when the limits are in force, or Redis cannot be asked. */
  start(): Promise<void> {
    this.#timer = setInterval(() => void this.#look(), PERIOD)
    return this.#look()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    await this.#lease.release().catch(() => {})
  }

  get #lease() {
    return this.transport.lease('limits', this.owner, {
      milliseconds: 4 * PERIOD,
      client: this.transport.connections.worker,
    })
  }

  #look(): Promise<void> {
    this.#looking ??= this.#keep()
      .catch((error) => this.trouble.noticed(error))
      .finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async #keep(): Promise<void> {
    const { limits, connections } = this.transport
    if (!this.#configured) {
      await limits.configure(this.config.limits, connections.worker)
      this.#configured = true
    }
    if (this.#leftOut > 0) {
      this.#leftOut--
      return
    }
    const lease = this.#lease
    this.#keeps = await (this.#keeps ? lease.acquire() : lease.acquireFree())
    if (!this.#keeps) {
      this.#leftOut = LOOKS_LEFT_OUT
      return
    }
    /** What changes what is in force looks after the queues too. */
    await limits.assert(this.config.limits, connections.worker)
    if (this.#looks++ % LOOKS_PER_SWEEP > 0) return
    await limits.sweep(await this.transport.queueNames(connections.worker), connections.worker)
  }
}
