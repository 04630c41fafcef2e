import { E_REDIS_UNAVAILABLE } from '../errors.ts'
import { forgetWhatWasSent } from '../logged_errors.ts'
import { LATE, within } from '../time/within.ts'
import { Answers, BROKEN_OFF, UNANSWERED } from './answers.ts'
import type { HostConnection, RedisClient } from './client.ts'
import { hangUp } from './hang_up.ts'
import { BROKE, Outage, reasonOf, whyNotReady } from './outage.ts'
import { untilReady } from './until_ready.ts'
import { writeTogether } from './write_together.ts'

/** What a connection is for: it decides how it meets a Redis that is away. */
export type ConnectionRole = 'producer' | 'worker' | 'mirror' | 'subscriber'

/** Longest time that a producer waits for Redis, milliseconds. */
const PRODUCER_DEADLINE = 4_500

/**
 * Longest pause between two attempts to connect, milliseconds. A producer gives up soon when connections are refused, so it must
 * notice soon that they no longer are.
 */
const LONGEST_BACKOFF = { patient: 2_000, producer: 200 }

/**
 * Settings of the host's connection that would break ours: a blocking wait outlasts any deadline for commands, what is sent before the
 * connection is ready has to be kept, and a command gathered with others or answered in other types is another one.
 */
const OURS = {
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  enableOfflineQueue: true,
  enableAutoPipelining: false,
  enableReadyCheck: true,
  autoResubscribe: true,
  stringNumbers: false,
}

type Options = {
  /** Told about each connection error; they are expected while Redis is away, so nothing is logged here. */
  onError?: (error: Error, role: ConnectionRole) => void
  /** For tests: how long the producer waits. */
  deadline?: number
}

/**
 * Our own connections to the host's Redis: duplicates of its `@adonisjs/redis` connection, with empty key prefix (ours is the
 * first part of every key). Opened when first used.
 *
 * - The **producer** answers within 5 s, whatever Redis does, and within about 1 s when connections are refused: `produce()` throws
 *   E_REDIS_UNAVAILABLE naming the reason.
 * - **Workers, mirror and subscriber** wait for Redis and reconnect for ever, at least every 2 s.
 */
export class Connections {
  /** Shared connections by role. */
  #shared = new Map<ConnectionRole, RedisClient>()

  /** Every connection that is open, to close it. */
  #open = new Set<RedisClient>()

  /** Since when Redis is away, as these connections see it. */
  readonly outage = new Outage()

  #answers = new Answers()

  #closed = false

  constructor(
    private host: () => HostConnection,
    private options: Options = {}
  ) {}

  /** What its errors tell is logged by the host: never what was sent, the password for one. */
  get #host(): RedisClient {
    const client = this.host().ioConnection as RedisClient
    if (!client.listeners('error').includes(forgetWhatWasSent)) {
      client.prependListener('error', forgetWhatWasSent)
    }
    return client
  }

  /** Number of the server's database that keys are in; a cluster has only 0. */
  get database(): number {
    const { options } = this.#host as unknown as { options?: { db?: number } }
    return options?.db ?? 0
  }

  /** The producer's connection. Prefer `produce()`, which answers in time. */
  get producer(): RedisClient {
    return this.#sharedOne('producer')
  }

  /** Shared by all workers of this process; BullMQ duplicates it for each blocking wait. */
  get worker(): RedisClient {
    return this.#sharedOne('worker')
  }

  /** Of the mirror's short commands; its blocking reads need one of their own: `open('mirror')`. */
  get mirror(): RedisClient {
    return this.#sharedOne('mirror')
  }

  /** In subscriber mode: only channels. */
  get subscriber(): RedisClient {
    return this.#sharedOne('subscriber')
  }

  /** A connection of one's own. Close it with `close(client)`. */
  open(role: ConnectionRole): RedisClient {
    if (this.#closed)
      throw new E_REDIS_UNAVAILABLE([
        'nothing can be sent',
        'the connections of this process are closed',
      ])
    const client = this.#duplicate(role)
    this.#open.add(client)
    writeTogether(client)
    /** Every call that waits for a connection listens once; many at a time are no leak. BullMQ adds to the limit, so it is not 0. */
    client.setMaxListeners(Number.POSITIVE_INFINITY)
    client.on('error', (error: Error) => {
      this.outage.failed(error)
      this.options.onError?.(error, role)
    })
    client.on('ready', () => this.outage.ended())
    /** One that we close ourselves says nothing about Redis. */
    client.on('close', () => this.#open.has(client) && this.outage.began())
    return client
  }

  /**
   * A connection of one's own that can take commands now, for work that somebody waits for. Close it with `close(client)`.
   *
   * @param action what does not happen when Redis is away, for the message
   * @throws E_REDIS_UNAVAILABLE with the reason, as soon as `produce()` would
   */
  async openReady(role: ConnectionRole, action: string): Promise<RedisClient> {
    const client = this.open(role)
    try {
      await this.#ready(client, this.#deadline(), action)
      return client
    } catch (error) {
      await this.close(client)
      /** One too many says nothing about those that are there. */
      if (this.#shared.get('producer')?.status === 'ready') this.outage.ended()
      throw error
    }
  }

  /**
   * Runs commands on the producer's connection and answers within 5 s; within about 1 s when connections are refused.
   *
   * @param action what does not happen when Redis is away, for the message: "the job was not dispatched"
   * @throws E_REDIS_UNAVAILABLE with the reason: refused, silent, full, read-only, loading, password ... Where a command was
   *   sent and not answered, the message says that its effect is unknown.
   */
  async produce<T>(action: string, work: (client: RedisClient) => Promise<T>): Promise<T> {
    const deadline = this.#deadline()
    const client = this.producer
    if (client.status !== 'ready') await this.#ready(client, deadline, action)
    try {
      return await this.#answers.within(work(client), Math.max(deadline - performance.now(), 500))
    } catch (error) {
      if (error === UNANSWERED) {
        // What was sent and not answered must not be sent again later, and the next call deserves a fresh connection.
        hangUp(client, true)
        throw new E_REDIS_UNAVAILABLE([
          unknown(action),
          'it took the command but has not answered it',
        ])
      }
      if (error === BROKEN_OFF) throw new E_REDIS_UNAVAILABLE([unknown(action), BROKE])
      throw this.explained(error as Error, action)
    }
  }

  async close(client: RedisClient): Promise<void> {
    this.#open.delete(client)
    for (const [role, shared] of this.#shared) if (shared === client) this.#shared.delete(role)
    if (client.status === 'ready') await within(300, client.quit()).catch(() => {})
    hangUp(client)
  }

  /**
   * Closes every connection, quickly also when Redis is away. The host's own, which the framework says goodbye to next, is cut when
   * Redis says nothing: its answer would be waited for for ever.
   */
  async closeAll(): Promise<void> {
    this.#closed = true
    const hosts = this.#open.size > 0 ? this.#host : undefined
    await Promise.all([
      ...[...this.#open].map((client) => this.close(client)),
      hosts && disconnectIfSilent(hosts),
    ])
  }

  #deadline(): number {
    return performance.now() + (this.options.deadline ?? PRODUCER_DEADLINE)
  }

  #sharedOne(role: ConnectionRole): RedisClient {
    let client = this.#shared.get(role)
    if (!client) {
      client = this.open(role)
      this.#shared.set(role, client)
      /** What is not sent again is not answered either: ioredis forgets such a command without a word. */
      if (role === 'producer') client.on('close', () => this.#answers.breakOff())
    }
    return client
  }

  #duplicate(role: ConnectionRole): RedisClient {
    const source = this.#host as RedisClient & { isCluster?: boolean }
    const patient = role !== 'producer'
    const retryStrategy = (times: number) =>
      patient
        ? Math.min(times * 200, LONGEST_BACKOFF.patient)
        : Math.min(times * 50, LONGEST_BACKOFF.producer)
    const options = {
      ...OURS,
      keyPrefix: '',
      lazyConnect: true,
      maxRetriesPerRequest: null,
      connectTimeout: 5_000,
      keepAlive: 10_000,
      retryStrategy,
      reconnectOnError: (error: Error) =>
        /^READONLY/.test(error.message) && patient ? (2 as const) : false,
      // A command whose answer was lost may have been executed: the producer says so instead of sending it twice.
      autoResendUnfulfilledCommands: patient,
      connectionName: `queuedeck:${role}`,
    }
    if (source.isCluster) {
      const cluster = source as unknown as {
        options: { redisOptions?: object }
        duplicate(nodes: undefined, options: object): RedisClient
      }
      return cluster.duplicate(undefined, {
        keyPrefix: '',
        lazyConnect: true,
        enableOfflineQueue: true,
        enableAutoPipelining: false,
        /** A replica may not have yet what was just written. */
        scaleReads: 'master',
        clusterRetryStrategy: retryStrategy,
        redisOptions: { ...cluster.options.redisOptions, ...options },
      })
    }
    return source.duplicate(options)
  }

  /** Resolves when the client can take a command, at once when it can already. */
  async #ready(client: RedisClient, deadline: number, action: string): Promise<void> {
    if (client.status === 'wait' || client.status === 'end') client.connect().catch(() => {})
    const met = await untilReady(client, deadline)
    if (met === null || (client.status as string) === 'ready') return
    const reason = met === 'late' ? whyNotReady(client, this.outage.reason) : met.refused
    // A server that accepted the connection and says nothing would keep it for ever.
    if (client.status === 'connect') hangUp(client, true)
    throw new E_REDIS_UNAVAILABLE([action, reason])
  }

  /** The error of a command that was not carried out, naming Redis and what did not happen where it is to blame. */
  explained(error: Error, action: string): Error {
    const reason = reasonOf(error)
    if (reason === null) return error
    return new E_REDIS_UNAVAILABLE([reason.sent ? unknown(action) : action, reason.text])
  }
}

async function disconnectIfSilent(client: RedisClient): Promise<void> {
  if (['wait', 'end', 'close', 'reconnecting'].includes(client.status)) return
  const isSilent = async () => (await within(1_000, client.ping()).catch(() => LATE)) === LATE
  if (client.status !== 'ready' || (await isSilent())) hangUp(client)
}

/** Of `the job was not dispatched`: `it is not known whether the job was dispatched`. What only read has nothing to know. */
function unknown(action: string): string {
  if (/ cannot | is known | go on /.test(action)) return action
  const done = action.replace(/ (was|were) not /, ' $1 ').replace(/^nothing /, 'anything ')
  return `it is not known whether ${done}`
}
