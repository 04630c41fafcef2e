import { randomUUID } from 'node:crypto'
import type { BulkLedger } from '../../records/bulk.ts'
import type { Actor } from '../../types.ts'
import { drainAct, type DrainedAnswer, drainWords, pageTeller } from '../drain_queue.ts'
import { tellPages } from '../queue_answer.ts'
import { assertQueueKnown, findQueue, type QueueDependencies } from '../queue_views.ts'

/** How long whoever asks waits for the end, ms. */
const PATIENCE = 2_000

/** `operation`: the one that goes on where the outcome is `requested`. */
export type DrainBegun = DrainedAnswer & { operation: string | null }

/**
 * Drains a queue for somebody who does not wait long: what takes longer goes on as an operation in the background, which any process may
 * take up (`BulkService`).
 */
export class BeginDrain {
  constructor(
    private dependencies: QueueDependencies & { bulk: Pick<BulkLedger, 'insertDrain'> }
  ) {}

  /**
   * @param options.scheduled also jobs whose time has not come, and retries in backoff
   * @param options.patience  how long to wait for its end, ms; 0: all goes on in the background
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE; E_DATABASE_UNAVAILABLE when it cannot go on: what was cancelled
   * stays so, the rest waits
   */
  async handle(
    name: string,
    actor: Actor,
    { scheduled, patience = PATIENCE }: { scheduled: boolean; patience?: number }
  ): Promise<DrainBegun> {
    const { transport, bulk } = this.dependencies
    await assertQueueKnown(transport, name)
    const id = randomUUID()
    const { outcome, done, requested } = await transport.trail.act(
      drainAct(actor, { queue: name, scheduled }),
      async () => {
        const [began, depths] = await transport.connections.produce(
          `queue "${name}" was not drained`,
          (client) => Promise.all([transport.time(client), transport.depths([name], client)])
        )
        const { pending, scheduled: later } = depths[name]
        const signal = patience > 0 ? AbortSignal.timeout(patience) : AbortSignal.abort()
        const drained = await transport.queueControl.drain(
          name,
          { ...drainWords(actor), scheduled, began, id },
          { signal, onProgress: pageTeller(transport) }
        )
        if (!signal.aborted) {
          await transport.queueControl.forgetDraining(id)
          return { outcome: 'done' as const, ...drained }
        }
        const sum = drained.done + drained.requested
        const total = Math.max(sum, pending + (scheduled ? later : 0))
        const counts = { ...drained, too_late: 0, refused: 0 }
        await bulk.insertDrain(
          { id, actor, createdAt: began, total, counts },
          { queue: name, scheduled, began }
        )
        return { outcome: 'requested' as const, ...drained }
      },
      (drained) => ({ detail: { cancelled: drained.done, requested: drained.requested } }),
      id
    )
    const changed = outcome === 'requested' || done + requested > 0
    if (changed) await tellPages(transport)
    const queue = await findQueue(this.dependencies, name)
    const operation = outcome === 'requested' ? id : null
    return { outcome, changed, queue, cancelled: done, requested, operation }
  }
}
