import type { DrainOptions } from '../transport/queue_control.ts'
import type { Transport } from '../transport/transport.ts'
import type { Actor } from '../types.ts'
import { answerOf, tellPages, type QueueAnswer } from './queue_answer.ts'
import { assertQueueKnown, type QueueDependencies } from './queue_views.ts'

/**
 * `cancelled`: jobs that ended so. `requested`: jobs of another producer's flow, which a worker has to end. The outcome is `requested`
 * when it goes on in the background: the numbers are those until now.
 */
export type DrainedAnswer = Omit<QueueAnswer, 'outcome'> & {
  outcome: 'done' | 'requested'
  cancelled: number
  requested: number
}

/** Open pages look again this often while a queue is drained, ms. */
const TELL = 1_000

/**
 * Takes out of a queue what waits in it. Each job is cancelled like a single one: its record says by whom, and it can be
 * restarted. Jobs that run go on, and so do those that wait for others or come after the beginning.
 */
export class DrainQueue {
  constructor(private dependencies: QueueDependencies) {}

  /**
   * Drains, and answers when that has ended. For those who do not wait so long there is `BeginDrain`.
   *
   * @param options.scheduled also jobs whose time has not come, and retries in backoff
   * @param options.signal ends it between two steps: what was cancelled stays so, the rest waits
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  async handle(
    name: string,
    actor: Actor,
    { scheduled, onProgress, signal }: DrainOptions & { scheduled: boolean }
  ): Promise<DrainedAnswer> {
    const { transport } = this.dependencies
    await assertQueueKnown(transport, name)
    const tells = pageTeller(transport)
    const { done, requested } = await transport.trail.act(
      drainAct(actor, { queue: name, scheduled }),
      () =>
        transport.queueControl.drain(
          name,
          { ...drainWords(actor), scheduled },
          {
            signal,
            onProgress: (answer) => {
              onProgress?.(answer)
              tells()
            },
          }
        ),
      (drained) => ({ detail: { cancelled: drained.done, requested: drained.requested } })
    )
    const answer = await answerOf(this.dependencies, name, done + requested > 0)
    return { ...answer, cancelled: done, requested }
  }
}

/** How the audit has it. */
export function drainAct(
  actor: Actor,
  { queue, scheduled }: { queue: string; scheduled: boolean }
) {
  const target = { kind: 'queue', id: queue } as const
  return { actor, action: 'drain', target, detail: { scheduled } } as const
}

/** By whom each job is cancelled, and why. */
export function drainWords({ name, id }: Actor): { by: string; reason: string } {
  const by = name ?? id
  return { by, reason: `queue drained by ${by}` }
}

/** Tells open pages to look again, now and then. */
export function pageTeller(transport: Transport): () => void {
  let told = performance.now()
  return () => {
    if (performance.now() - told < TELL) return
    told = performance.now()
    tellPages(transport).catch(() => {})
  }
}
