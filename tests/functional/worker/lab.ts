import type { Redis } from 'ioredis'
import { defineConfig } from '../../../src/config.ts'
import { QueueManager } from '../../../src/jobs/queue_manager.ts'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import type { Job, JobClass } from '../../../src/jobs/job.ts'
import { ResultWaiter } from '../../../src/jobs/result_waiter.ts'
import { Connections } from '../../../src/transport/connections.ts'
import type { Clock } from '../../../src/time/long_timer.ts'
import { Transport } from '../../../src/transport/transport.ts'
import { WorkerPool, type WorkerSettings } from '../../../src/worker/worker_pool.ts'
import type { DispatchOptions, QueuedeckConfig } from '../../../src/types.ts'
import type { IsolationCommand } from '../../../src/worker/isolation/isolated_process.ts'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { hostClient } from '#tests/helpers/redis_address'
import { waitFor } from '#tests/helpers/wait'

const TERMINAL = new Set(['completed', 'failed'])

/**
 * Queues with a prefix of their own on some Redis, with workers in this process as a test asks for them.
 */
export class WorkerLab {
  readonly redis: Redis
  readonly connections: Connections
  readonly transport: Transport
  registry = new JobRegistry()
  readonly manager: QueueManager
  readonly config
  /** Everything the workers logged at warn and above. */
  readonly warnings: string[] = []
  /** How workers of this lab start processes for isolated jobs. */
  isolation: IsolationCommand | undefined
  /** The clock of this lab's workers. */
  clock: Clock | undefined
  #pools: WorkerPool[] = []

  constructor(
    readonly url: string,
    classes: JobClass[] = [],
    worker: QueuedeckConfig['worker'] = {},
    readonly prefix = uniquePrefix(),
    deliver: { withoutFunctions?: boolean } = {},
    limits: QueuedeckConfig['limits'] = {}
  ) {
    this.redis = hostClient(url)
    this.connections = new Connections(() => ({ ioConnection: this.redis }) as never)
    this.transport = new Transport(this.connections, { prefix, ...deliver })
    this.config = defineConfig({ prefix, mirror: false, worker, limits })
    classes.forEach((Class) => this.registry.register(Class))
    this.manager = new QueueManager(
      this.config,
      this.registry,
      this.transport,
      new ResultWaiter({ endingOf: async () => null, subscribe: async () => () => {} })
    )
  }

  /** What runs the code of jobs: a container that injects nothing, and a logger that keeps warnings. */
  get surroundings() {
    const note = (_: unknown, text: string) => void this.warnings.push(text)
    const quiet = () => {}
    const logger = { trace: quiet, debug: quiet, info: quiet, warn: note, error: note, fatal: note }
    const container = { make: async (Class: new () => unknown) => new Class() }
    const { registry } = this
    return { registry, container: container as never, logger: logger as never }
  }

  async start(settings: WorkerSettings = {}): Promise<WorkerPool> {
    const { config, transport, isolation, clock } = this
    const pool = new WorkerPool(
      { ...this.surroundings, config, transport, isolation, clock, version: '1' },
      settings
    )
    this.#pools.push(pool)
    await pool.start()
    return pool
  }

  async dispatch<Instance extends Job<any, any>>(
    Class: JobClass<Instance> | string,
    payload: unknown = {},
    options: DispatchOptions = {}
  ): Promise<string> {
    return (await this.manager.dispatch(Class as string, payload, options)).jobId
  }

  /** A job's hash. */
  job(id: string, queue = 'default'): Promise<Record<string, string>> {
    return this.redis.hgetall(this.transport.keys.job(queue, id))
  }

  /** Waits for a job's end and answers its hash with its state. */
  async ended(id: string, queue = 'default', within = 60_000) {
    const state = await waitFor(
      `job ${id} to end`,
      async () => {
        const now = await this.transport.state(queue, id)
        return TERMINAL.has(now) && now
      },
      { within }
    )
    return { ...(await this.job(id, queue)), state } as Record<string, string>
  }

  async running(id: string, queue = 'default', within = 60_000): Promise<void> {
    await waitFor(
      `job ${id} to run`,
      async () => (await this.redis.exists(this.transport.keys.lock(queue, id))) === 1,
      { within }
    )
  }

  /** Waits until this lab's workers hear what processes are asked. */
  async listens(): Promise<void> {
    const channel = this.transport.keys.control(this.transport.connections.database)
    await waitFor('the worker to listen', async () => {
      const [, listeners] = (await this.redis.pubsub('NUMSUB', channel)) as [string, number]
      return listeners === 1 && this.connections.subscriber.status === 'ready'
    })
  }

  /** Names of a job's stream entries, in order. */
  async entries(id: string, queue = 'default'): Promise<string[]> {
    const all = await this.entriesOf(queue)
    return all.filter(({ jobId }) => jobId === id).map(({ event }) => event)
  }

  async entriesOf(queue = 'default'): Promise<Record<string, string>[]> {
    const rows = await this.redis.xrange(this.transport.keys.events(queue), '-', '+')
    return rows.map(([, fields]) =>
      Object.fromEntries(
        fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1]]] : []))
      )
    )
  }

  async close(): Promise<void> {
    this.#pools.forEach((pool) => pool.abort())
    await Promise.all(this.#pools.map((pool) => pool.ended))
    await this.connections.closeAll()
    this.redis.disconnect()
  }
}
