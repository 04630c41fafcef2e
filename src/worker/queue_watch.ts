import type { JobRegistry } from '../jobs/registry.ts'
import type { Transport } from '../transport/transport.ts'
import type { ResolvedConfig } from '../types.ts'
import type { RedisTrouble } from './redis_trouble.ts'

/**
 * How often the set of known queues is read, ms: the first job of a new queue waits this long at most.
 */
const PERIOD = 2_000

/**
 * Which queues a worker works: those it was told, or all that are known, with new ones as they appear.
 */
export class QueueWatch {
  /** Resolves when the queues have been learned for the first time. */
  readonly known: Promise<void>

  #resolveKnown!: () => void
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #unsubscribe: (() => void) | undefined
  #looking = false
  #seen = new Set<string>()

  /**
   * @param only work just these
   */
  constructor(
    private config: ResolvedConfig,
    private transport: Transport,
    private registry: JobRegistry,
    private only?: string[]
  ) {
    this.known = new Promise((resolve) => (this.#resolveKnown = resolve))
  }

  /**
   * Calls back with the queues to work now, and with new ones later.
   */
  start(found: (names: string[]) => void, trouble: RedisTrouble): void {
    const look = async () => {
      if (this.#looking || this.#stopped) {
        return
      }
      this.#looking = true
      try {
        this.#report(await this.names(), found)
        this.#resolveKnown()
      } catch (error) {
        trouble.noticed(error)
      } finally {
        this.#looking = false
      }
    }

    /** What is known without Redis is worked at once: its workers wait for Redis by themselves. */
    this.#report(this.#ownNames(), found)
    void look()
    if (this.only !== undefined) {
      return
    }
    this.#timer = setInterval(look, PERIOD)
    void this.transport.changes
      .subscribe((notice) => {
        if (notice.changed.some(({ queue }) => !this.#seen.has(queue))) {
          void look()
        }
      })
      .then(
        (unsubscribe) => (this.#stopped ? unsubscribe() : void (this.#unsubscribe = unsubscribe)),
        (error) => trouble.noticed(error)
      )
  }

  /**
   * The queues to work, of which Redis is told that they exist.
   */
  async names(): Promise<string[]> {
    const { transport } = this
    const client = transport.connections.worker
    const own = this.#ownNames()
    await transport.registerQueues(own, client)
    if (this.only !== undefined) {
      return own
    }
    const stored = await transport.queueNames(client)
    return [...new Set([...own, ...stored.filter(isQueueName)])]
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    this.#unsubscribe?.()
  }

  #ownNames(): string[] {
    if (this.only !== undefined) {
      return this.only
    }
    const ofTypes = this.registry
      .names()
      .flatMap((name) => this.registry.get(name)?.options.queue ?? [])
    return [...new Set([this.config.defaultQueue, ...this.config.queues, ...ofTypes])]
  }

  #report(names: string[], found: (names: string[]) => void): void {
    const unseen = names.filter((name) => !this.#seen.has(name))
    if (unseen.length > 0 && !this.#stopped) {
      unseen.forEach((name) => this.#seen.add(name))
      found(unseen)
    }
  }
}

/**
 * The set may hold anything: other programs can write to it.
 */
function isQueueName(name: string): boolean {
  return name !== '' && name.length <= 200 && !name.includes(':')
}
