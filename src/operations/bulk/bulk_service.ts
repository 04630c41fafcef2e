import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { wait } from '../../mirror/retry.ts'
import type { BulkLedger } from '../../records/bulk.ts'
import type { BulkOperation } from '../../records/bulk/bulk_rows.ts'
import type { RedisClient } from '../../transport/client.ts'
import type { Transport } from '../../transport/transport.ts'
import { CancelJob } from '../cancel_job.ts'
import { ChangePriority } from '../change_priority.ts'
import { type DeleteDependencies, DeleteJob } from '../delete_job.ts'
import { RestartJob } from '../restart_job.ts'
import { bulkAct } from './begin_bulk.ts'
import { actOn, type BulkResult, type BulkTools } from './bulk_step.ts'

type BulkServiceOptions = {
  /** `ready` throws while the database is away or lacks our tables. */
  records: DeleteDependencies['records'] & {
    ready(): Promise<void>
    readonly bulk: BulkLedger
    readonly reader: DeleteDependencies['reader']
  }
  transport: Transport
  logger: {
    debug(bindings: object, message: string): void
    warn(bindings: object, message: string): void
  }
  /** For tests: length of the lease and pause between looks, ms; called between an action and its note. */
  lease?: number
  look?: number
  onActed?: (result: BulkResult) => void | Promise<void>
}

/** Whoever works and is killed is replaced after this long, ms. */
const LEASE = 5_000
const LOOK = 500

/** Pause after something failed, ms. */
const AFTER_FAILURE = 2_000

/** How long stopping may wait for the jobs under way, ms. */
const PATIENCE = 3_000

/** Jobs of one operation that are acted on at the same time; several operations take turns. */
const AT_ONCE = 8

/**
 * Works on actions on many jobs, in one of all processes that run this service. One leads by a lease, the others stand by. The lease
 * saves work and is no guard: an item is noted once, by whoever is first, and acting on it again does nothing (`actOn`).
 */
export class BulkService {
  readonly owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

  #options: BulkServiceOptions
  #tools: BulkTools
  #stopping = new AbortController()
  #running: Promise<void> | undefined
  #redis: RedisClient | undefined
  #isLeader = false

  constructor(options: BulkServiceOptions) {
    this.#options = options
    const { records, transport } = options
    const dependencies = { reader: records.reader, transport }
    this.#tools = {
      reader: records.reader,
      cancel: new CancelJob(dependencies),
      restart: new RestartJob(dependencies),
      delete: new DeleteJob({ ...dependencies, records }),
      priority: new ChangePriority(dependencies),
    }
  }

  /** Whether this is the process that works. */
  get isLeader(): boolean {
    return this.#isLeader
  }

  /** Starts to wait for the lead. Never throws: what is away is waited for. */
  start(): void {
    if (this.#running || this.#stopping.signal.aborted) return
    this.#redis = this.#options.transport.connections.open('mirror')
    this.#running = this.#run(this.#redis)
  }

  /** Ends after the jobs under way and gives the lead back. Takes at most some seconds, also when Redis or SQL is away. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    if (!this.#running || !this.#redis) return
    /** A Redis that is away would never answer what is asked of it. */
    if (this.#redis.status === 'ready') await Promise.race([this.#running, wait(PATIENCE)])
    await this.#options.transport.connections.close(this.#redis)
  }

  async #run(redis: RedisClient): Promise<void> {
    const { transport, lease: milliseconds = LEASE, look = LOOK, logger, records } = this.#options
    const { signal } = this.#stopping
    const lease = transport.lease('bulk', this.owner, { milliseconds, client: redis })
    /** Also while jobs are under way. */
    const renewal = setInterval(() => {
      if (!this.#isLeader) return
      lease.acquire().then(
        (isOurs) => (this.#isLeader = isOurs),
        () => {}
      )
    }, milliseconds / 4)
    let isReady = false
    while (!signal.aborted) {
      try {
        this.#isLeader = await lease.acquire()
        if (this.#isLeader) {
          if (!isReady) await records.ready()
          isReady = true
          while (await this.#round(redis)) continue
        }
      } catch (error) {
        if (signal.aborted) break
        logger.debug({ err: error }, 'Bulk: interrupted, goes on')
        await wait(Math.min(AFTER_FAILURE, 10 * look), signal)
      }
      await wait(look, signal)
    }
    clearInterval(renewal)
    if (this.#isLeader && redis.status === 'ready') await lease.release().catch(() => false)
    this.#isLeader = false
  }

  /** Some jobs of each operation that has not ended. False when there is none, or others lead. */
  async #round(redis: RedisClient): Promise<boolean> {
    const operations = await this.#options.records.bulk.open()
    for (const operation of operations) {
      if (!this.#isLeader || this.#stopping.signal.aborted) return false
      await this.#step(operation, redis)
    }
    return operations.length > 0
  }

  async #step(operation: BulkOperation, redis: RedisClient): Promise<void> {
    const { records, onActed } = this.#options
    const items = operation.stopped
      ? []
      : await records.bulk.claim(operation.seq, this.owner, AT_ONCE)
    if (items.length === 0) return this.#end(operation, redis)
    const answers = await Promise.allSettled(
      items.map(async (item) => {
        const result = await actOn(this.#tools, operation, item)
        await onActed?.(result)
        return result
      })
    )
    const results = answers.flatMap((answer) =>
      answer.status === 'fulfilled' ? [answer.value] : []
    )
    if (results.length > 0) await records.bulk.record(operation.seq, results)
    const failure = answers.find((answer) => answer.status === 'rejected')
    if (failure) throw failure.reason
  }

  /** The audit first: when this process dies in between, the next one says the same again. */
  async #end({ id, seq }: BulkOperation, redis: RedisClient): Promise<void> {
    const { records, transport } = this.#options
    const operation = await records.bulk.find(id)
    if (!operation) return
    const { counts, total } = operation
    const left = total - Object.values(counts).reduce((sum, n) => sum + n, 0)
    const entry = { ...bulkAct(operation), id, outcome: 'requested', reason: null } as const
    await transport.trail.end(entry, {
      outcome: 'done',
      reason: left > 0 ? `Stopped: ${left} of ${total} jobs were left alone` : null,
      detail: Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
    })
    await records.bulk.end(seq, await transport.time(redis))
  }
}
