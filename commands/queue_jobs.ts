import { args, flags } from '@adonisjs/core/ace'
import { jobLine } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { jobTexts } from '../src/console/texts.ts'
import { REASONS_UNKNOWN, waitingOrNull } from '../src/console/waiting.ts'
import { jobJson } from '../src/dashboard/presenters/job_json.ts'
import { InvalidInputException } from '../src/errors.ts'
import { JobQuery, LONGEST_VALUE } from '../src/records/job_query.ts'

/**
 * Lists jobs of the records, one page.
 */
export default class QueueJobs extends QueueCommand {
  static override commandName = 'queue:jobs'
  static override description = 'List jobs, newest first'
  static override help = [
    '  {{ binaryName }} queue:jobs --status=failed --queue=documents',
    '  {{ binaryName }} queue:jobs 0192f3c4 --json',
  ]

  @args.string({ description: 'Beginning of an id, or a user', required: false })
  declare q?: string

  @flags.array({ description: 'Only these statuses, separated by commas' })
  declare status?: string[]

  @flags.array({ description: 'Only these types, separated by commas; * stands for anything' })
  declare type?: string[]

  @flags.array({ description: 'Only these queues, separated by commas' })
  declare queue?: string[]

  @flags.array({ description: 'Only jobs of these users, separated by commas' })
  declare user?: string[]

  @flags.array({ description: 'Only jobs with one of these tags, separated by commas' })
  declare tag?: string[]

  @flags.string({ description: 'Created at this moment or later, e.g. 2h or 2026-11-01' })
  declare from?: string

  @flags.string({ description: 'Created before this moment' })
  declare to?: string

  @flags.string({ description: 'Time zone of --from and --to. Default UTC' })
  declare tz?: string

  @flags.string({ description: 'created, status, progress or duration' })
  declare sort?: string

  @flags.string({ description: 'asc or desc' })
  declare direction?: string

  @flags.string({ description: 'Continue where the last page ended' })
  declare cursor?: string

  @flags.string({ description: 'Jobs a page, 1 to 200. Default 50' })
  declare limit?: string

  protected async answer() {
    const params = Object.fromEntries(
      JobQuery.PARAMS.filter((name) => name !== 'host').map((name) => [name, this[name]])
    )
    for (const [name, value] of Object.entries(params)) {
      if ([value].flat().includes('')) {
        throw new InvalidInputException(
          `--${name} is empty: give a value, or leave it out for all jobs`,
          name
        )
      }
    }
    const query = JobQuery.from({ ...params, ...this.#names() })
    const { reader } = await this.app.container.make('queuedeck.records')
    const page = await reader.page(query)
    const transport = await this.app.container.make('queuedeck.transport')
    const waiting = await waitingOrNull(transport, page.rows)
    const texts = await (await jobTexts(this.app)).forJobs(page.rows)
    for (const job of page.rows) {
      this.say(jobLine(job, texts.get(job.id)!, waiting?.get(job.id)))
    }
    if (waiting === null) this.say(REASONS_UNKNOWN)
    const { value, capped } = page.count
    const all = capped ? `${value} and more` : value
    this.say(`${page.rows.length} of ${all} jobs, times in ${query.zone}`)
    if (page.next) this.say(`more: --cursor=${page.next}`)
    return {
      data: page.rows.map((job) => jobJson(job, texts.get(job.id)!, waiting?.get(job.id))),
      page: { next: page.next, previous: page.previous, count: value, capped },
    }
  }

  /** As other commands take lists; a name that holds commas itself is found too. */
  #names(): Record<string, string[] | undefined> {
    const { type, queue, user, tag } = this
    return Object.fromEntries(
      Object.entries({ type, queue, user, tag }).map(([name, values]) => [
        name,
        values?.flatMap((value) => {
          const parts = value.split(',').map((part) => part.trim())
          return value.length > LONGEST_VALUE ? parts : [value, ...parts]
        }),
      ])
    )
  }
}
