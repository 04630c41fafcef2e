import type { Transport } from '../transport/transport.ts'
import type { ResolvedConfig } from '../types.ts'
import type { RedisTrouble } from './redis_trouble.ts'

/**
 * Time between two looks, ms: a signal that was lost holds a job back no longer than this.
 */
const PERIOD = 5_000

/**
 * Says at the start what the configuration limits, and repairs limits while it lives: those that Redis lost and signals that
 * never came. One process at a time does so.
 */
export class LimitKeeper {
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #configured = false

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
      milliseconds: 3 * PERIOD,
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
    if (!(await this.#lease.acquire())) return
    await limits.assert(connections.worker)
    await limits.sweep(await this.transport.queueNames(connections.worker), connections.worker)
  }
}
