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
  async pause(name: string): Promise<QueueAnswer> {
    const { transport } = this.dependencies
    await assertQueueKnown(transport, name)
    return answerOf(this.dependencies, name, await transport.queueControl.pause(name))
  }

  /**
   * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
   */
  async resume(name: string): Promise<QueueAnswer> {
    const { transport } = this.dependencies
    await assertQueueKnown(transport, name)
    return answerOf(this.dependencies, name, await transport.queueControl.resume(name))
  }
}
