import { args, flags } from '@adonisjs/core/ace'
import { queueDependencies, queueLine } from '../src/console/queue_actions.ts'
import { plain } from '../src/console/job_output.ts'
import { ProgressBar } from '../src/console/progress_bar.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { queueJson } from '../src/dashboard/presenters/queue_json.ts'
import { drainedText, jobs } from '../src/dashboard/presenters/queues_page.ts'
import { InvalidInputException } from '../src/errors.ts'
import { untilStopped } from '../src/console/until_stopped.ts'
import { DrainQueue } from '../src/operations/drain_queue.ts'
import { findQueue } from '../src/operations/queue_views.ts'

/**
 * Cancel what waits in a queue.
 */
export default class QueueDrain extends QueueCommand {
  static override commandName = 'queue:drain'
  static override description = 'Cancel the jobs that wait in a queue'
  static override help = [
    'Ctrl-C stops it: what was cancelled stays so, the others wait.',
    'Jobs that run go on, those that come meanwhile stay; cancelled ones can be restarted with queue:restart.',
    'Asks first, unless --force is given; where nobody can be asked (with --json, or without a terminal) it refuses without --force.',
    '',
    '  {{ binaryName }} queue:drain mails',
    '  {{ binaryName }} queue:drain mails --scheduled --force --json',
  ]

  @args.string({ description: 'Name of the queue' })
  declare name: string

  @flags.boolean({ description: 'Do not ask' })
  declare force: boolean

  @flags.boolean({ description: 'Also jobs whose time has not come, and retries in backoff' })
  declare scheduled: boolean

  protected async answer() {
    const dependencies = await queueDependencies(this.app)
    const before = await findQueue(dependencies, this.name)
    const { pending, scheduled } = before.depths
    const expected = pending + (this.scheduled ? scheduled : 0)
    if (expected > 0 && !this.force && !(await this.#isSure(expected))) {
      this.exitCode = 1
      this.say('nothing was cancelled')
      return { outcome: 'refused', cancelled: 0, requested: 0, queue: queueJson(before) }
    }
    const bar = new ProgressBar((line) => this.logger.logUpdate(line))
    const isDrawn = !this.json && process.stdout.isTTY === true
    const { answer, isStopped } = await untilStopped('Stopped: the others wait', (signal) =>
      new DrainQueue(dependencies).handle(this.name, this.actor, {
        scheduled: this.scheduled,
        signal,
        onProgress: ({ done, requested }) => {
          this.goesOn()
          if (isDrawn) bar.update(done + requested, expected, 'cancelled')
        },
      })
    )
    if (isDrawn && expected > 0) this.logger.logUpdatePersist()
    if (isStopped) this.exitCode = 1
    const { changed, cancelled, requested, queue } = answer
    const outcome = isStopped ? 'stopped' : answer.outcome
    const stopped = isStopped ? '; stopped, the others wait' : ''
    this.say(`queue ${plain(queue.name)}: ${drainedText(answer)}${stopped}`)
    this.say(queueLine(queue))
    return { outcome, changed, cancelled, requested, queue: queueJson(queue) }
  }

  #isSure(expected: number): Promise<boolean> {
    const what = `${jobs(expected)} waiting in queue ${plain(this.name)}`
    if (this.json || process.stdin.isTTY !== true) {
      throw new InvalidInputException(
        `${what} would be cancelled, and nobody can be asked here: add --force`,
        'force'
      )
    }
    return this.asks(() => this.prompt.confirm(`Cancel ${what}?`, { default: false }))
  }
}
