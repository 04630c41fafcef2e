import type { RedisClient } from './client.ts'

/**
 * Listeners of one channel with JSON messages. Subscribes with the first listener, unsubscribes after the last; the client
 * subscribes again by itself after a reconnection.
 */
export class Subscription<Message> {
  #listeners = new Set<(message: Message) => void>()

  /** The client that is subscribed, while there are listeners. */
  #client: RedisClient | null = null

  constructor(
    private channel: string,
    private client: () => RedisClient
  ) {}

  /** Resolves once messages arrive; while Redis is away the listener stays and hears later ones. */
  async add(listener: (message: Message) => void): Promise<() => void> {
    this.#listeners.add(listener)
    if (!this.#client) {
      this.#client = this.client()
      this.#client.on('message', this.#receive)
      await this.#client.subscribe(this.channel)
    }
    return () => this.#remove(listener)
  }

  #receive = (channel: string, text: string) => {
    if (channel !== this.channel) return
    let message: Message
    try {
      message = JSON.parse(text) as Message
    } catch {
      return // Another program's message: nothing of ours is not JSON.
    }
    for (const listener of this.#listeners) listener(message)
  }

  #remove(listener: (message: Message) => void): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0 || !this.#client) return
    const client = this.#client
    this.#client = null
    client.off('message', this.#receive)
    if (client.status === 'ready') client.unsubscribe(this.channel).catch(() => {})
  }
}
