import { args, flags } from '@adonisjs/core/ace'
import { QueueCommand } from '../src/console/queue_command.ts'
import { InvalidInputException } from '../src/errors.ts'
import { parseAsWritten } from '../src/jobs/payload.ts'
import type { AwaitedJob, WaitForOptions } from '../src/types.ts'
import { DispatchJob } from '../src/operations/dispatch_job.ts'

/**
 * Dispatches one job.
 */
export default class QueueDispatch extends QueueCommand {
  static override commandName = 'queue:dispatch'
  static override description = 'Dispatch a job of a registered type'
  static override help = [
    '  {{ binaryName }} queue:dispatch demo.sleep \'{"ms":1000}\'',
    '  {{ binaryName }} queue:dispatch demo.sleep \'{"ms":1000}\' --delay=5m --user=42 --tags=import',
  ]

  @args.string({ description: 'Registered name of the type' })
  declare type: string

  @args.string({ description: 'Payload as JSON', required: false })
  declare payload?: string

  @flags.string({ description: "Queue, instead of the type's own" })
  declare queue?: string

  @flags.string({ description: '1 (first) to 2097151 (last)' })
  declare priority?: string

  @flags.string({ description: 'Not before this much time has passed, e.g. 5m' })
  declare delay?: string

  @flags.string({ description: 'User for whom the job runs' })
  declare user?: string

  @flags.array({ description: 'Tags, separated by commas' })
  declare tags?: string[]

  @flags.string({ description: 'Executions before the job fails' })
  declare attempts?: string

  @flags.string({ description: 'Longest duration of one attempt, e.g. 10m' })
  declare timeout?: string

  @flags.string({ description: 'Key that one job of the type has at a time' })
  declare unique?: string

  @flags.string({ description: 'Until when: finished (the default), started, or a duration' })
  declare uniqueUntil?: string

  @flags.array({ description: 'Ids of jobs that have to end before, separated by commas' })
  declare waitFor?: string[]

  @flags.string({ description: 'When one of those fails: cancel (the default), run or skip' })
  declare onFailure?: string

  protected async answer() {
    if (this.waitFor === undefined && this.onFailure !== undefined) {
      throw new InvalidInputException('--on-failure needs --wait-for', 'on-failure')
    }
    if (this.unique === undefined && this.uniqueUntil !== undefined) {
      throw new InvalidInputException('--unique-until needs --unique', 'unique-until')
    }
    const queue = await this.app.container.make('queuedeck')
    const transport = await this.app.container.make('queuedeck.transport')
    const options = {
      queue: this.queue,
      priority: whole(this.priority, 'priority'),
      delay: this.delay,
      user: this.user,
      tags: this.tags?.flatMap((tags) => tags.split(',')).map((tag) => tag.trim()),
      attempts: whole(this.attempts, 'attempts'),
      timeout: this.timeout,
      waitFor: this.#waitFor(),
      unique: this.unique === undefined ? undefined : { key: this.unique, until: this.uniqueUntil },
    }
    const handle = await new DispatchJob(queue, transport).handle(
      this.type,
      this.#payload(),
      options,
      { actor: this.actor, to: this.queue ?? queue.config.defaultQueue }
    )
    const { jobId, type, queue: to, duplicate } = handle
    this.say(
      duplicate
        ? `not dispatched: job ${jobId} in queue ${to} has the unique key`
        : `dispatched ${type} as job ${jobId} to queue ${to}`
    )
    return { job: { id: jobId, type, queue: to }, duplicate }
  }

  /** Checked where all options are. */
  #waitFor(): AwaitedJob[] | undefined {
    const onFailure = this.onFailure as WaitForOptions['onFailure']
    return this.waitFor
      ?.flatMap((ids) => ids.split(','))
      .map((id) => ({ jobId: id.trim(), ...(onFailure === undefined ? {} : { onFailure }) }))
  }

  #payload(): unknown {
    if (this.payload === undefined) return undefined
    try {
      return parseAsWritten(this.payload)
    } catch (error) {
      throw new InvalidInputException(
        `The payload is no JSON (${(error as Error).message}): quote it for your shell, e.g. '{"ms":1000}'`,
        'payload'
      )
    }
  }
}

function whole(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidInputException(`--${option} must be a whole number, not "${text}"`, option)
  }
  return Number(text)
}
