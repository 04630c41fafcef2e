import type { ChangeNotice } from '../types.ts'
import type { RedisClient } from './client.ts'
import { Subscription } from './subscription.ts'
import type { Transport } from './transport.ts'

/**
 * What the mirror tells to web processes after each commit.
 */
export class ChangeChannel {
  #subscription: Subscription<ChangeNotice>

  constructor(private transport: Transport) {
    this.#subscription = new Subscription(
      () => transport.keys.changes(transport.connections.database),
      () => transport.connections.subscriber
    )
  }

  /** Numbers the notice and sends it. Returns its revision. */
  async publish(
    notice: Omit<ChangeNotice, 'revision'>,
    client: RedisClient = this.transport.connections.mirror
  ): Promise<number> {
    const { keys, connections } = this.transport
    return (await this.transport.call(client, 'publish_change', [
      keys.revision,
      keys.changes(connections.database),
      JSON.stringify(notice),
    ])) as number
  }

  /** The newest notice's revision; 0 before the first. */
  async revision(client: RedisClient = this.transport.connections.mirror): Promise<number> {
    return Number((await client.get(this.transport.keys.revision)) ?? 0)
  }

  /** Calls the listener with every notice from now on, across reconnections. Returns the function that ends it. */
  subscribe(listener: (notice: ChangeNotice) => void): Promise<() => void> {
    return this.#subscription.add(listener)
  }
}
