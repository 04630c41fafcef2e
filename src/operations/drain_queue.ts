import type { DrainAnswer } from '../transport/queue_control.ts'
import type { Actor } from '../types.ts'
import { answerOf, type QueueAnswer } from './queue_answer.ts'
import { assertQueueKnown, type QueueDependencies } from './queue_views.ts'

/** `cancelled`: jobs that ended so. `requested`: jobs of another producer's flow, which a worker has to end. */
export type DrainedAnswer = QueueAnswer & { cancelled: number; requested: number }

/**
 * Takes out of a queue what waits in it. Each job is cancelled like a single one: its record says by whom, and it can be
 * restarted. Jobs that run go on, and so do those that wait for others.
 */
export class DrainQueue {
  constructor(private dependencies: QueueDependencies) {}

  /**
   * @param options.scheduled also jobs whose time has not come, and retries in backoff
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  async handle(
    name: string,
    actor: Actor,
    options: { scheduled: boolean; onProgress?: (answer: DrainAnswer) => void }
  ): Promise<DrainedAnswer> {
    const { transport } = this.dependencies
    await assertQueueKnown(transport, name)
    const by = actor.name ?? actor.id
    const { scheduled, onProgress } = options
    const { done, requested } = await transport.trail.act(
      { actor, action: 'drain', target: { kind: 'queue', id: name }, detail: { scheduled } },
      () =>
        transport.queueControl.drain(
          name,
          { by, reason: `queue drained by ${by}`, scheduled },
          onProgress
        ),
      (drained) => ({ detail: { cancelled: drained.done, requested: drained.requested } })
    )
    const answer = await answerOf(this.dependencies, name, done + requested > 0)
    return { ...answer, cancelled: done, requested }
  }
}
