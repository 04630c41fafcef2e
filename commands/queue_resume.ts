import { args } from '@adonisjs/core/ace'
import { queueDependencies, queueLine } from '../src/console/queue_actions.ts'
import { plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { queueJson } from '../src/dashboard/presenters/queue_json.ts'
import { PauseQueue } from '../src/operations/pause_queue.ts'

/**
 * Resume a paused queue.
 */
export default class QueueResume extends QueueCommand {
  static override commandName = 'queue:resume'
  static override description = 'Resume a paused queue'

  @args.string({ description: 'Name of the queue' })
  declare name: string

  protected async answer() {
    const operation = new PauseQueue(await queueDependencies(this.app))
    const { outcome, changed, queue } = await operation.resume(this.name, this.actor)
    this.say(`queue ${plain(queue.name)} ${changed ? 'goes on' : 'was not paused'}`)
    this.say(queueLine(queue))
    return { outcome, changed, queue: queueJson(queue) }
  }
}
