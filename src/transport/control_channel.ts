import type { RedisClient } from './client.ts'
import { Subscription } from './subscription.ts'
import type { Transport } from './transport.ts'

/** A request to workers. Cancellations are sent by the cancel script itself. */
export type ControlMessage =
  | { kind: 'cancel'; queue: string; jobId: string; run: number }
  | { kind: 'quiet' | 'resume' | 'stop'; worker: string }

/**
 * Requests to workers, at once to whoever listens. Nothing depends on it: what must not be missed is kept in Redis as well
 * and looked at again at each heartbeat.
 */
export class ControlChannel {
  #subscription: Subscription<ControlMessage>

  constructor(private transport: Transport) {
    this.#subscription = new Subscription(
      transport.keys.control,
      () => transport.connections.subscriber
    )
  }

  async publish(message: ControlMessage, client?: RedisClient): Promise<void> {
    const send = (to: RedisClient) =>
      to.publish(this.transport.keys.control, JSON.stringify(message))
    await (client
      ? send(client)
      : this.transport.connections.produce('the request was not sent', send))
  }

  /** Calls the listener with every message from now on, across reconnections. Returns the function that ends it. */
  subscribe(listener: (message: ControlMessage) => void): Promise<() => void> {
    return this.#subscription.add(listener)
  }
}
