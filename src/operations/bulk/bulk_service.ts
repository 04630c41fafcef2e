import type { BulkLedger } from '../../records/bulk.ts'
import type { BulkOperation } from '../../records/bulk/bulk_rows.ts'
import type { RedisClient } from '../../transport/client.ts'
import { type Lead, LedService } from '../../transport/led_service.ts'
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

const LEASE = 5_000
const LOOK = 500
const AFTER_FAILURE = 2_000
const PATIENCE = 3_000

/** Jobs of one operation that are acted on at the same time; several operations take turns. */
const AT_ONCE = 8

/**
 * Works on actions on many jobs, in one of all processes that run this service. Its lead is no guard: an item is noted once, by whoever
 * is first, and acting on it again does nothing (`actOn`).
 */
export class BulkService extends LedService {
  #options: BulkServiceOptions
  #tools: BulkTools
  #isReady = false

  constructor(options: BulkServiceOptions) {
    const { records, transport, logger, lease = LEASE, look = LOOK } = options
    super({
      ...{ transport, logger, name: 'bulk', lease, every: look },
      ...{ afterFailure: AFTER_FAILURE, patience: PATIENCE },
    })
    this.#options = options
    const dependencies = { reader: records.reader, transport }
    this.#tools = {
      reader: records.reader,
      cancel: new CancelJob(dependencies),
      restart: new RestartJob(dependencies),
      delete: new DeleteJob({ ...dependencies, records }),
      priority: new ChangePriority(dependencies),
    }
  }

  protected async turn({ redis, signal }: Lead): Promise<void> {
    if (!this.#isReady) await this.#options.records.ready()
    this.#isReady = true
    while (await this.#round(redis, signal)) continue
  }

  /** Some jobs of each operation that has not ended. False when there is none, or others lead. */
  async #round(redis: RedisClient, signal: AbortSignal): Promise<boolean> {
    const operations = await this.#options.records.bulk.open()
    for (const operation of operations) {
      if (!this.isLeader || signal.aborted) return false
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
