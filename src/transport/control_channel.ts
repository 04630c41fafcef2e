import { Subscription } from './subscription.ts'
import type { Transport } from './transport.ts'
import type { WorkerWish } from './types.ts'

/** A request to workers. The scripts that note it in Redis also send it: `cancel` and `ask_worker`. */
export type ControlMessage =
  | { kind: 'cancel'; queue: string; jobId: string; run: number }
  | { kind: WorkerWish; worker: string }

/**
 * Requests to workers, at once to whoever listens. Nothing depends on it: what must not be missed is kept in Redis as well
 * and looked at again at each heartbeat.
 */
export class ControlChannel {
  #subscription: Subscription<ControlMessage>

  constructor(transport: Transport) {
    this.#subscription = new Subscription(
      () => transport.keys.control(transport.connections.database),
      () => transport.connections.subscriber
    )
  }

  /**
   * Calls the listener with every message from now on, across reconnections; after each of these `missed`, since messages may have
   * been. Returns the function that ends it.
   */
  subscribe(listener: (message: ControlMessage) => void, missed?: () => void): Promise<() => void> {
    return this.#subscription.add(listener, missed)
  }
}
