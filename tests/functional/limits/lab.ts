import { setTimeout as pause } from 'node:timers/promises'
import { FlowProducer, Queue, Worker, type Job, type Processor, type WorkerOptions } from 'bullmq'
import { Redis } from 'ioredis'
import type { LimitSettings } from '../../../src/types.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { waitFor } from '#tests/helpers/wait'

const NONE: LimitSettings = { global: null, user: null, users: {}, types: {}, queues: {} }

/** Counts who runs, by itself: it knows nothing of the gate. Answers how many of the user run now. */
const ENTER = `
redis.call('HSET', KEYS[1] .. 'in', ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1] .. 'types', ARGV[1], ARGV[3])
local function most(name, hash, of)
  local all, n = redis.call('HVALS', KEYS[1] .. hash), 0
  for _, one in ipairs(all) do if not of or one == of then n = n + 1 end end
  if n > tonumber(redis.call('HGET', KEYS[1] .. 'max', name) or 0) then redis.call('HSET', KEYS[1] .. 'max', name, n) end
end
most('all', 'in')
most('user ' .. ARGV[2], 'in', ARGV[2])
most('type ' .. ARGV[3], 'types', ARGV[3])`

/** How a job of the lab behaves. */
export type Behaviour = { ms?: number; failures?: number; held?: boolean }

/**
 * Queues and plain BullMQ workers with our scripts, and a meter of its own that counts from inside the jobs.
 */
export class GateLab {
  readonly redis: Redis
  readonly transport: Transport
  #connections: Connections
  #queues: Queue[] = []
  #flows: FlowProducer[] = []
  #workers: Worker[] = []
  #meter: string
  #released: Promise<void>
  /** Lets jobs end that are held. */
  release!: () => void

  constructor(
    readonly url: string,
    deliver: { withoutFunctions?: boolean } = {},
    readonly prefix = uniquePrefix()
  ) {
    this.redis = new Redis(url, { maxRetriesPerRequest: null })
    this.#connections = new Connections(() => ({ ioConnection: this.redis }) as never)
    this.transport = new Transport(this.#connections, { prefix, ...deliver })
    this.#meter = `${prefix}meter:`
    this.#released = new Promise((resolve) => (this.release = resolve))
  }

  configure(settings: Partial<LimitSettings>): Promise<boolean> {
    return this.transport.limits.configure({ ...NONE, ...settings })
  }

  queue(name = 'q'): Queue {
    const queue = new Queue(
      name,
      { connection: this.redis as never, prefix: this.prefix },
      this.transport.backendFactory
    )
    this.#queues.push(queue)
    return queue
  }

  flows(): FlowProducer {
    const flows = new FlowProducer(
      { connection: this.redis as never, prefix: this.prefix },
      this.transport.backendFactory
    )
    this.#flows.push(flows)
    return flows
  }

  worker(
    name = 'q',
    options: Partial<Pick<WorkerOptions, 'concurrency' | 'lockDuration' | 'limiter'>> = {},
    process: Processor = (job) => this.#run(job)
  ): Worker {
    const worker = new Worker(
      name,
      process,
      {
        connection: this.redis as never,
        prefix: this.prefix,
        concurrency: 20,
        drainDelay: 5,
        ...options,
      },
      this.transport.backendFactory
    )
    worker.on('error', () => {})
    this.#workers.push(worker)
    return worker
  }

  /** Jobs `<user>1` to `<user>n` of one user; without a name of nobody. */
  jobs(count: number, user: string, opts: object = {}, data: Behaviour = {}, name = 'work') {
    return Array.from({ length: count }, (_, at) => ({
      name,
      data,
      opts: {
        jobId: `${user || 'nobody'}${at + 1}`,
        ...opts,
        ...(user === '' ? {} : { qd: { user } }),
      } as never,
    }))
  }

  #run(job: Job<Behaviour>): Promise<void> {
    return this.count(job, async () => {
      await (job.data.held ? this.#released : pause(job.data.ms ?? 5))
      if (job.attemptsMade < (job.data.failures ?? 0)) throw new Error('planned')
    })
  }

  /** Runs what a job does and counts it meanwhile. */
  async count<T>(job: Job, work: () => Promise<T>): Promise<T> {
    const of = (job.opts as { qd?: { user: string } }).qd?.user ?? ''
    const me = `${job.queueName}/${job.id}`
    await this.redis.eval(ENTER, 1, this.#meter, me, of, job.name)
    try {
      return await work()
    } finally {
      await this.redis.hdel(`${this.#meter}in`, me)
      await this.redis.hdel(`${this.#meter}types`, me)
    }
  }

  /** The largest number that ever ran at once: `all`, `user <name>`, `type <name>`. */
  async most(what: string): Promise<number> {
    return Number((await this.redis.hget(`${this.#meter}max`, what)) ?? 0)
  }

  async mostOfAnyUser(): Promise<number> {
    const all = Object.entries(await this.redis.hgetall(`${this.#meter}max`))
    return Math.max(0, ...all.filter(([name]) => /^user ./.test(name)).map(([, n]) => Number(n)))
  }

  running(): Promise<number> {
    return this.redis.hlen(`${this.#meter}in`)
  }

  /** Ids in the order in which they were claimed. */
  async order(queue = 'q'): Promise<string[]> {
    const entries = await this.redis.xrange(this.transport.keys.events(queue), '-', '+')
    return entries.filter(([, fields]) => fields[1] === 'active').map(([, fields]) => fields[3])
  }

  async forgetOrder(queue = 'q'): Promise<void> {
    await this.redis.del(this.transport.keys.events(queue), `${this.#meter}max`)
  }

  ended(queue: Queue, count: number, within = 60_000): Promise<unknown> {
    return waitFor(
      `${count} ends in ${queue.name}`,
      async () => (await queue.getCompletedCount()) + (await queue.getFailedCount()) >= count,
      { within }
    )
  }

  /** What the gate still holds of jobs: nothing when all have ended. */
  async leftovers(): Promise<string[]> {
    const keys = await this.redis.keys(`${this.prefix.replaceAll(/[[\]*?\\]/g, '\\$&')}~gate:*`)
    const left = keys
      .map((key) => key.slice(this.prefix.length + 6))
      .filter((key) => !/^(limits|configured|set|seq|turn|baton|reap)$/.test(key))
    const running = Number((await this.redis.hget(this.transport.keys.limits, 'n')) ?? 0)
    return running === 0 ? left : [`${running} running`, ...left]
  }

  async close(): Promise<void> {
    this.release()
    await Promise.all(this.#workers.map((worker) => worker.close(true).catch(() => {})))
    const producers = [...this.#queues, ...this.#flows]
    await Promise.all(producers.map((producer) => producer.close().catch(() => {})))
    await this.#connections.closeAll()
    this.redis.disconnect()
  }
}

/** How often a job was claimed before one that was dispatched earlier, by the numbers at their ends. */
export function inversions(ids: string[]): number {
  const numbers = ids.map((id) => Number(/\d+$/.exec(id)![0]))
  return numbers.filter((number, at) => at > 0 && number < numbers[at - 1]).length
}
