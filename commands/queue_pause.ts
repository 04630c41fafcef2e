import { args } from '@adonisjs/core/ace'
import { queueDependencies, queueLine } from '../src/console/queue_actions.ts'
import { plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { queueJson } from '../src/dashboard/presenters/queue_json.ts'
import { PauseQueue } from '../src/operations/pause_queue.ts'

/**
 * Pause a queue: no worker takes its jobs until it is resumed.
 */
export default class QueuePause extends QueueCommand {
  static override commandName = 'queue:pause'
  static override description = 'Pause a queue; jobs that run go on'

  @args.string({ description: 'Name of the queue' })
  declare name: string

  protected async answer() {
    const operation = new PauseQueue(await queueDependencies(this.app))
    const { outcome, changed, queue } = await operation.pause(this.name, this.actor)
    this.say(`queue ${plain(queue.name)} ${changed ? 'is paused' : 'was paused already'}`)
    this.say(queueLine(queue))
    return { outcome, changed, queue: queueJson(queue) }
  }
}
