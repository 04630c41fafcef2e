import type { HttpContext } from '@adonisjs/core/http'
import { LimitQueue } from '../../operations/limit_queue.ts'
import { fieldsOf } from '../parameters.ts'
import { answerAction, manageableQueue, queueDependencies } from './queue_answers.ts'

/**
 * How many jobs of a queue run at once.
 */
export default class QueueLimitsController {
  async update(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const name = await manageableQueue(ctx)
    const { limit: wanted } = fieldsOf(ctx, ['limit', 'back'])
    const answer = await new LimitQueue(queueDependencies(viewer)).handle(
      name,
      wanted,
      await viewer.actor()
    )
    const { limit } = answer.queue.limit
    const text = `Limit of queue ${name}: ${limit === null ? 'none' : limit}`
    return answerAction(ctx, answer, answer.changed ? text : `${text}, as before`)
  }
}
