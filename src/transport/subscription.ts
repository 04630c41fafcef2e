import type { RedisClient } from './client.ts'

/**
 * Listeners of one channel with JSON messages. Subscribes with the first listener, unsubscribes after the last; the client
 * subscribes again by itself after a reconnection.
 */
export class Subscription<Message> {
  #listeners = new Set<(message: Message) => void>()

  /** The channel, and the client that is subscribed to it, while there are listeners. */
  #channel = ''
  #client: RedisClient | null = null

  /** Resolves when it is subscribed. */
  #subscribed: Promise<unknown> | null = null

  constructor(
    private channel: () => string,
    private client: () => RedisClient
  ) {}

  /** Resolves once messages arrive; while Redis is away the listener stays and hears later ones. */
  async add(listener: (message: Message) => void): Promise<() => void> {
    this.#listeners.add(listener)
    try {
      await (this.#subscribed ??= this.#subscribe())
    } catch (error) {
      /** Nobody would hear anything: the next one tries again. */
      this.#remove(listener)
      throw error
    }
    return () => this.#remove(listener)
  }

  async #subscribe(): Promise<unknown> {
    this.#channel = this.channel()
    this.#client = this.client()
    this.#client.on('message', this.#receive)
    return this.#client.subscribe(this.#channel)
  }

  #receive = (channel: string, text: string) => {
    if (channel !== this.#channel) return
    for (const listener of this.#listeners) {
      try {
        listener(JSON.parse(text) as Message)
      } catch {
        // Whoever reaches Redis can send anything. What is not as we send it is another program's, and must not end this process.
      }
    }
  }

  #remove(listener: (message: Message) => void): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    const client = this.#client
    this.#client = null
    this.#subscribed = null
    if (client === null) return
    client.off('message', this.#receive)
    if (client.status === 'ready') client.unsubscribe(this.#channel).catch(() => {})
  }
}
