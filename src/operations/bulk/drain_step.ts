import type { BulkLedger } from '../../records/bulk.ts'
import type { BulkDrain, BulkOperation } from '../../records/bulk/bulk_rows.ts'
import type { Transport } from '../../transport/transport.ts'
import { drainWords, pageTeller } from '../drain_queue.ts'

/** How often what was drained is noted, and looked whether somebody asked to stop, ms. */
const NOTE = 500

/**
 * Goes on with the draining of a queue, from its beginning: what was cancelled waits no more. Redis counts, so that the numbers are right
 * however many processes began with it. Ends when nothing is left, when somebody asked to stop, or when `signal` says so.
 *
 * @returns whether nothing is left
 * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE: it has to come again
 */
export async function goOnDraining(
  tools: { transport: Transport; bulk: BulkLedger; onStep?: (() => void) | undefined },
  { id, seq, actor }: BulkOperation,
  { queue, scheduled, began }: BulkDrain,
  signal: AbortSignal
): Promise<boolean> {
  const { transport, bulk, onStep } = tools
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const tells = pageTeller(transport)
  let newest = { done: 0, requested: 0 }
  let noting: Promise<void> = Promise.resolve()
  let failure: unknown
  const note = async () => {
    if (newest.done + newest.requested > 0) await bulk.recordDrained(seq, newest, false)
    const now = await bulk.find(id)
    if (!now || now.stopped || now.endedAt !== null) stop.abort()
  }
  const timer = setInterval(() => {
    noting = noting.then(note).catch((error) => {
      failure = error
      stop.abort()
    })
  }, NOTE)
  try {
    const drained = await transport.queueControl.drain(
      queue,
      { ...drainWords(actor), scheduled, began, id },
      {
        signal: either,
        onProgress: (answer) => {
          newest = answer
          tells()
          onStep?.()
        },
      }
    )
    clearInterval(timer)
    await noting
    if (failure) throw failure
    const isAll = !either.aborted
    await bulk.recordDrained(seq, drained, isAll)
    return isAll
  } finally {
    clearInterval(timer)
  }
}
