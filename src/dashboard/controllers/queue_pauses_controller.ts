import type { HttpContext } from '@adonisjs/core/http'
import { PauseQueue } from '../../operations/pause_queue.ts'
import { fieldsOf } from '../parameters.ts'
import { answerAction, manageableQueue, queueDependencies } from './queue_answers.ts'

/**
 * Pausing a queue, and resuming it.
 */
export default class QueuePausesController {
  async store(ctx: HttpContext) {
    const name = await manageableQueue(ctx)
    fieldsOf(ctx, ['back'])
    const operation = new PauseQueue(queueDependencies(ctx.queuedeck))
    const answer = await operation.pause(name, await ctx.queuedeck.actor())
    const how = answer.changed ? 'is paused' : 'was paused already'
    return answerAction(ctx, answer, `Queue ${name} ${how}`)
  }

  async destroy(ctx: HttpContext) {
    const name = await manageableQueue(ctx)
    fieldsOf(ctx, ['back'])
    const operation = new PauseQueue(queueDependencies(ctx.queuedeck))
    const answer = await operation.resume(name, await ctx.queuedeck.actor())
    const how = answer.changed ? 'goes on' : 'was not paused'
    return answerAction(ctx, answer, `Queue ${name} ${how}`)
  }
}
