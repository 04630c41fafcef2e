import type { Actor } from '../types.ts'
import { answerOf, type QueueAnswer } from './queue_answer.ts'
import { assertQueueKnown, type QueueDependencies } from './queue_views.ts'

/**
 * Pauses a queue for every worker until it is resumed, and resumes it. What runs goes on.
 */
export class PauseQueue {
  constructor(private dependencies: QueueDependencies) {}

  /**
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  pause(name: string, actor: Actor): Promise<QueueAnswer> {
    return this.#change(name, actor, 'pause')
  }

  /**
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  resume(name: string, actor: Actor): Promise<QueueAnswer> {
    return this.#change(name, actor, 'resume')
  }

  async #change(name: string, actor: Actor, action: 'pause' | 'resume'): Promise<QueueAnswer> {
    const { transport } = this.dependencies
    await assertQueueKnown(transport, name)
    const changed = await transport.trail.act(
      { actor, action, target: { kind: 'queue', id: name } },
      () => transport.queueControl[action](name),
      (isNew) => (isNew ? {} : { reason: `It was ${action}d already` })
    )
    return answerOf(this.dependencies, name, changed)
  }
}
