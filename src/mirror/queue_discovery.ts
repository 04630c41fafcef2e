import { cutText } from '../cut_text.ts'
import type { RedisClient } from '../transport/client.ts'
import { isQueueName, QUEUE_NAME } from '../transport/keys.ts'
import { primaries } from '../transport/server_facts.ts'
import type { Transport } from '../transport/transport.ts'

/** Keys that one call looks at: measured 0.4 ms of Redis on two busy cores, so a round takes less than half a percent of its time. */
const AT_ONCE = 250

/** Pause between two calls of one round, ms. */
const BETWEEN = 100

/** From the end of one round to the beginning of the next, ms; as long as the round took where that is longer. */
const EVERY = 2_000

/** Queues without a usable name that are told of: whoever makes more has been told. */
const MOST_TOLD = 100

/**
 * Finds queues that other programs filled and that nobody named: BullMQ keeps a hash `<prefix>:<queue>:meta` for each. The whole
 * key space has to be looked through for it, so it goes in small pieces with pauses, in the process that mirrors.
 */
export class QueueDiscovery {
  #seen = new Set<string>()

  /** Names of queues that cannot be observed, and that were told of. */
  #told = new Set<string>()

  /**
   * @param found told of queues that were not known; from then on they are mirrored like all others
   */
  constructor(
    private transport: Transport,
    private redis: RedisClient,
    private found: (names: string[]) => void = () => {},
    private pauses = { between: BETWEEN, every: EVERY }
  ) {}

  /** One round after the other until the signal. */
  async run(signal: AbortSignal, wait: (ms: number, signal: AbortSignal) => Promise<void>) {
    while (!signal.aborted) {
      const began = performance.now()
      /** What fails is done again: Redis is away now and then. */
      await this.round(async () => wait(this.pauses.between, signal), signal).catch(() => {})
      await wait(Math.max(this.pauses.every, performance.now() - began), signal)
    }
  }

  /** Looks through all keys once. */
  async round(
    between: () => Promise<void> = async () => {},
    signal?: AbortSignal
  ): Promise<string[]> {
    const { keys } = this.transport
    const pattern = `${keys.prefix.replace(/[*?[\]\\]/g, '\\$&')}:*:meta`
    const known = new Set(await this.transport.queueNames(this.redis))
    const all: string[] = []
    for (const server of primaries(this.redis)) {
      let cursor = '0'
      do {
        const [next, found] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', AT_ONCE)
        cursor = next
        const names = found
          .map((key) => key.slice(keys.prefix.length + 1, -5))
          .filter((name) => !known.has(name) && !this.#told.has(name) && !name.includes(':'))
        const isQueue = await this.#areQueues(names)
        const queues = names.filter((_, at) => isQueue[at])
        queues.filter((name) => !isQueueName(name)).forEach((name) => this.#passOver(name))
        const fresh = queues.filter(isQueueName)
        if (fresh.length > 0) {
          fresh.forEach((name) => known.add(name))
          await this.transport.registerQueues(fresh, this.redis)
          all.push(...fresh)
          this.found(fresh.filter((name) => !this.#seen.has(name)))
          fresh.forEach((name) => this.#seen.add(name))
        }
        if (cursor !== '0') await between()
      } while (cursor !== '0' && !signal?.aborted)
    }
    return all
  }

  /** Nothing could address it: people learn at least that it is there. */
  #passOver(name: string): void {
    if (this.#told.size >= MOST_TOLD) return
    this.#told.add(name)
    const shown = JSON.stringify(cutText(name, 80))
    this.transport.warn(
      `Queue ${shown} of another program is not observed: rename it, a queue can have ${QUEUE_NAME}`
    )
  }

  /** Keys of other programs may look alike. */
  async #areQueues(names: string[]): Promise<boolean[]> {
    const types = await Promise.all(
      names.map((name) => this.redis.type(`${this.transport.keys.queue(name)}meta`))
    )
    return types.map((type) => type === 'hash')
  }
}
