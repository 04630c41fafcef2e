import type { RedisClient } from './client.ts'
import type { Transport } from './transport.ts'

/**
 * A claim of one owner on a name, for so many milliseconds at a time: saves processes from doing the same work. Never the
 * only guard of anything: an owner that was stopped for longer than its lease learns of its loss when it goes on.
 */
export class Lease {
  constructor(
    private transport: Transport,
    private name: string,
    readonly owner: string,
    private options: { milliseconds: number; client?: RedisClient }
  ) {}

  /** Takes the lease when it is free, or prolongs one's own. False when another owner has it. */
  async acquire(): Promise<boolean> {
    const args = [this.transport.keys.lease(this.name), this.owner, this.options.milliseconds]
    return (await this.transport.call(this.#client, 'acquire_lease', args)) === 1
  }

  /**
   * The same for an owner that does not have it: false when anybody has it. Costs Redis a fraction, for those who ask often in vain.
   */
  async acquireFree(): Promise<boolean> {
    const { milliseconds } = this.options
    const key = this.transport.keys.lease(this.name)
    return (await this.#client.set(key, this.owner, 'PX', milliseconds, 'NX')) === 'OK'
  }

  /** Gives the lease back. False when it was not one's own any more. */
  async release(): Promise<boolean> {
    return (
      (await this.transport.call(this.#client, 'release_lease', [
        this.transport.keys.lease(this.name),
        this.owner,
      ])) === 1
    )
  }

  get #client(): RedisClient {
    return this.options.client ?? this.transport.connections.mirror
  }
}
