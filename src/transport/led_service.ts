import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { wait } from '../time/wait.ts'
import { within } from '../time/within.ts'
import type { RedisClient } from './client.ts'
import type { Lease } from './lease.ts'
import type { Transport } from './transport.ts'

export type LedServiceOptions = {
  transport: Transport
  logger: { debug(bindings: object, message: string): void }
  /** Of the lease, and of the work in logs. */
  name: string
  /** A leader that is killed is replaced after this long, ms. */
  lease: number
  /** Pause between two turns, ms. */
  every: number
  /** Longest pause after a turn that failed, ms; also ten turns at most. */
  afterFailure: number
  /** How long stopping may wait for the turn under way, ms. Default 2,000. */
  patience?: number
}

/**
 * What a turn is given.
 */
export type Lead = {
  /** A connection of the work's own: what it asks of a Redis that is away holds nobody else up. */
  redis: RedisClient
  signal: AbortSignal
  /** The first turns of a process that led as soon as it started; one that takes over from another has none. */
  isStart: boolean
}

const PATIENCE = 2_000

/**
 * A service whose work one of all processes does: it leads by a lease, the others stand by. The lease saves work and is no guard of anything: a
 * process that was stopped for longer learns of its loss when it goes on, so two may be at work for a moment.
 */
export abstract class LedService {
  readonly owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

  /** When Redis last answered, by this process' own clock (`performance.now()`). */
  protected answeredAt = 0

  #options: LedServiceOptions
  #stopping = new AbortController()
  #running: Promise<void> | undefined
  #redis: RedisClient | undefined
  #isLeader = false

  constructor(options: LedServiceOptions) {
    this.#options = options
  }

  /** Called again and again while this process leads; what fails is tried again. */
  protected abstract turn(lead: Lead): Promise<void>

  /** Whether this is the process that works. */
  get isLeader(): boolean {
    return this.#isLeader
  }

  /** Aborted when the process stops. */
  protected get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** The connection of its own, which waits for Redis; there once the service has started. */
  protected get redis(): RedisClient | undefined {
    return this.#redis
  }

  /** Starts to wait for the lead. Never throws: what is away is waited for. */
  start(): void {
    if (this.#running || this.signal.aborted) return
    this.#redis = this.#options.transport.connections.open('mirror')
    this.answeredAt = performance.now()
    this.#running = this.#run(this.#redis)
  }

  /**
   * Ends after the turn under way and gives the lead back. Takes at most some seconds, also when Redis or SQL is away.
   */
  async stop(): Promise<void> {
    const { transport, patience = PATIENCE } = this.#options
    this.#stopping.abort(new Error('The process was stopped'))
    if (!this.#running || !this.#redis) return
    /** A Redis that is away would never answer what is asked of it. */
    if (this.#redis.status === 'ready') {
      await within(patience, Promise.all([this.#running, this.beside()]))
    }
    await transport.connections.close(this.#redis)
  }

  /** Further work that stopping waits for. */
  protected async beside(): Promise<unknown> {
    return undefined
  }

  async #run(redis: RedisClient): Promise<void> {
    const { transport, logger, name, lease: milliseconds, every, afterFailure } = this.#options
    const { signal } = this
    const lease = transport.lease(name, this.owner, { milliseconds, client: redis })
    /** Also while a turn takes long. */
    const renewal = setInterval(() => {
      if (this.#isLeader) void this.#acquire(lease).catch(() => {})
    }, milliseconds / 4)
    const startsUntil = performance.now() + 2 * milliseconds
    let hasLed = false
    while (!signal.aborted) {
      try {
        if (await this.#acquire(lease)) {
          const isStart = !hasLed && performance.now() < startsUntil
          await this.turn({ redis, signal, isStart })
          hasLed = true
        }
      } catch (error) {
        if (signal.aborted) break
        logger.debug({ err: error, work: name }, 'Interrupted, goes on')
        await wait(Math.min(afterFailure, 10 * every), signal)
      }
      await wait(every, signal)
    }
    clearInterval(renewal)
    if (this.#isLeader && redis.status === 'ready') await lease.release().catch(() => false)
    this.#isLeader = false
  }

  async #acquire(lease: Lease): Promise<boolean> {
    this.#isLeader = await lease.acquire()
    this.answeredAt = performance.now()
    return this.#isLeader
  }
}
