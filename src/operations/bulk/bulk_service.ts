import type { BulkLedger } from '../../records/bulk.ts'
import type { BulkDrain, BulkOperation } from '../../records/bulk/bulk_rows.ts'
import type { RedisClient } from '../../transport/client.ts'
import { type Lead, LedService } from '../../transport/led_service.ts'
import type { Transport } from '../../transport/transport.ts'
import { CancelJob } from '../cancel_job.ts'
import { ChangePriority } from '../change_priority.ts'
import { type DeleteDependencies, DeleteJob } from '../delete_job.ts'
import { ForgottenJobs } from '../forgotten_jobs.ts'
import { takeUpRestarts } from '../restart_cascade.ts'
import { RestartJob } from '../restart_job.ts'
import { drainAct } from '../drain_queue.ts'
import type { OperationDependencies } from '../job_lookup.ts'
import { tellPages } from '../queue_answer.ts'
import { bulkAct } from './begin_bulk.ts'
import { goOnDraining } from './drain_step.ts'
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
  /** For tests: length of the lease and pause between looks, ms; called between an action and its note; after each step of a draining. */
  lease?: number
  look?: number
  onActed?: (result: BulkResult) => void | Promise<void>
  onDrained?: () => void
}

const LEASE = 5_000
const LOOK = 500
const AFTER_FAILURE = 2_000
const PATIENCE = 3_000

/** Jobs of one operation that are acted on at the same time; several operations take turns. */
const AT_ONCE = 8

/** What is left for the next turn, by operation, with the error that tells why. */
type LeftWork = Map<string, unknown>

/** Leaves work that waits for a mirror that is behind: others may go on. */
async function leaving(left: LeftWork, name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if ((error as { code?: string }).code !== 'E_MIRROR_BEHIND') throw error
    left.set(name, error)
  }
}

/**
 * Works on actions on many jobs, drains queues, and goes on with restarts through flows whose processes have died, in one of all processes
 * that run this service. Its lead is no guard: an item is noted once, by whoever is first, and acting on it again does nothing (`actOn`).
 */
export class BulkService extends LedService {
  #options: BulkServiceOptions
  #tools: Omit<BulkTools, 'restart'>
  #isReady = false
  /** Queues that are drained beside the rounds, by operation: each may take minutes. */
  #drains = new Map<string, Promise<void>>()

  constructor(options: BulkServiceOptions) {
    const { records, transport, logger, lease = LEASE, look = LOOK } = options
    super({
      ...{ transport, logger, name: 'bulk', lease, every: look },
      ...{ afterFailure: AFTER_FAILURE, patience: PATIENCE },
    })
    this.#options = options
    const dependencies = this.#dependencies
    this.#tools = {
      reader: records.reader,
      cancel: new CancelJob(dependencies),
      delete: new DeleteJob({ ...dependencies, records }),
      priority: new ChangePriority(dependencies),
    }
  }

  get #dependencies(): OperationDependencies {
    const { records, transport } = this.#options
    return { reader: records.reader, transport }
  }

  protected async turn({ redis, signal }: Lead): Promise<void> {
    if (!this.#isReady) await this.#options.records.ready()
    this.#isReady = true
    const left: LeftWork = new Map()
    await leaving(left, 'restarts', () => this.#restartBehind(redis))
    while (await this.#round(redis, signal, left)) continue
    for (const error of left.values()) throw error
  }

  async #restartBehind(redis: RedisClient): Promise<void> {
    while (!this.signal.aborted && (await takeUpRestarts(this.#dependencies, redis))) continue
  }

  protected override beside(): Promise<unknown> {
    return Promise.all(this.#drains.values())
  }

  /** Some jobs of each operation that has not ended and is not left. False when there is none, or others lead. */
  async #round(redis: RedisClient, signal: AbortSignal, left: LeftWork): Promise<boolean> {
    const operations = await this.#options.records.bulk.open()
    let isMore = false
    for (const operation of operations) {
      if (!this.isLeader || signal.aborted) return false
      if (operation.drain) {
        this.#drain(operation, operation.drain, redis, signal)
      } else if (!left.has(operation.id)) {
        await leaving(left, operation.id, () => this.#step(operation, redis))
        isMore = true
      }
    }
    return isMore
  }

  #drain(
    operation: BulkOperation,
    drain: BulkDrain,
    redis: RedisClient,
    signal: AbortSignal
  ): void {
    const { id } = operation
    if (this.#drains.has(id)) return
    const { logger } = this.#options
    const work = this.#goOn(operation, drain, redis, signal)
      .catch((error) => logger.debug({ err: error, work: 'drain' }, 'Interrupted, goes on'))
      .finally(() => this.#drains.delete(id))
    this.#drains.set(id, work)
  }

  /** What is cut short because others lead, or because this process stops, goes on there or at the next start. */
  async #goOn(
    operation: BulkOperation,
    drain: BulkDrain,
    redis: RedisClient,
    stopping: AbortSignal
  ): Promise<void> {
    const { records, transport, onDrained } = this.#options
    const { bulk } = records
    const lost = new AbortController()
    const onStep = () => {
      onDrained?.()
      if (!this.isLeader) lost.abort()
    }
    /** One that was stopped is not gone on with, but what a process that died had done is noted. */
    const signal = operation.stopped
      ? AbortSignal.abort()
      : AbortSignal.any([stopping, lost.signal])
    const isAll = await goOnDraining({ transport, bulk, onStep }, operation, drain, signal)
    if (!isAll && !(await bulk.find(operation.id))?.stopped) return
    await this.#end(operation, redis)
    await transport.queueControl.forgetDraining(operation.id)
    await tellPages(transport)
  }

  async #step(operation: BulkOperation, redis: RedisClient): Promise<void> {
    const { records, onActed } = this.#options
    const items = operation.stopped
      ? []
      : await records.bulk.claim(operation.seq, this.owner, AT_ONCE)
    if (items.length === 0) {
      if (operation.action === 'restart') await this.#restartBehind(redis)
      return this.#end(operation, redis)
    }
    const tools = this.#toolsOfStep()
    const answers = await Promise.allSettled(
      items.map(async (item) => {
        const result = await actOn(tools, operation, item)
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

  /** Jobs of one step wait together for a mirror that is behind; what was found out is old at the next one. */
  #toolsOfStep(): BulkTools {
    const gone = new ForgottenJobs(this.#dependencies)
    return { ...this.#tools, restart: new RestartJob(this.#dependencies, gone) }
  }

  /** The audit first: when this process dies in between, the next one says the same again. */
  async #end({ id, seq }: BulkOperation, redis: RedisClient): Promise<void> {
    const { records, transport } = this.#options
    const operation = await records.bulk.find(id)
    if (!operation) return
    const { counts, total, actor, drain } = operation
    const left = total - Object.values(counts).reduce((sum, n) => sum + n, 0)
    const act = drain ? drainAct(actor, drain) : bulkAct(operation)
    const told = Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0))
    await transport.trail.end(
      { ...act, id, outcome: 'requested', reason: null },
      {
        outcome: 'done',
        reason: left > 0 ? `Stopped: ${left} of ${total} jobs were left alone` : null,
        detail: drain ? { cancelled: counts.done, requested: counts.requested } : told,
      }
    )
    await records.bulk.end(seq, await transport.time(redis))
  }
}
