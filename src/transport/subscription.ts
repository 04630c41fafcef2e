import type { RedisClient } from './client.ts'

/**
 * Listeners of one channel with JSON messages. Subscribes with the first listener, unsubscribes after the last; the client
 * subscribes again by itself after a reconnection.
 */
export class Subscription<Message> {
  /** With what each wants to be told when messages may have been missed. */
  #listeners = new Map<(message: Message) => void, (() => void) | undefined>()

  /** The channel, and the client that is subscribed to it, while there are listeners. */
  #channel = ''
  #client: RedisClient | null = null

  /** Resolves when it is subscribed. */
  #subscribed: Promise<unknown> | null = null

  constructor(
    private channel: () => string,
    private client: () => RedisClient
  ) {}

  /**
   * Resolves once messages arrive; while Redis is away the listener stays and hears later ones.
   *
   * @param missed called when it is subscribed again after a reconnection: what was sent meanwhile was not heard
   */
  async add(listener: (message: Message) => void, missed?: () => void): Promise<() => void> {
    this.#listeners.set(listener, missed)
    try {
      await (this.#subscribed ??= this.#subscribe())
    } catch (error) {
      /** Nobody would hear anything: the next one tries again. */
      this.#remove(listener)
      throw error
    }
    return () => this.#remove(listener)
  }

  async #subscribe(): Promise<void> {
    const client = this.client()
    this.#channel = this.channel()
    this.#client = client
    client.on('message', this.#receive)
    await client.subscribe(this.#channel)
    /** Not before: the first connection is none that begins anew. */
    if (this.#client === client) client.on('ready', this.#again)
  }

  /** The client subscribes again by itself; the answer to doing so once more says that it has. */
  #again = async () => {
    try {
      await this.#client?.subscribe(this.#channel)
    } catch {
      return // The connection broke again, and will be ready again.
    }
    for (const missed of this.#listeners.values()) missed?.()
  }

  #receive = (channel: string, text: string) => {
    if (channel !== this.#channel) return
    for (const listener of this.#listeners.keys()) {
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
    client.off('ready', this.#again)
    if (client.status === 'ready') client.unsubscribe(this.#channel).catch(() => {})
  }
}
