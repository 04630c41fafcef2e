import { args, flags } from '@adonisjs/core/ace'
import { plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { scheduleJson, stateOf, troubleOf } from '../src/dashboard/presenters/schedule_json.ts'
import { JobTexts } from '../src/dashboard/redaction/job_texts.ts'
import { SecretKeys } from '../src/dashboard/redaction/secret_keys.ts'
import { E_INVALID_OPTION } from '../src/errors.ts'
import { nextRuns, type ScheduleAnswer, ScheduleOperations } from '../src/operations/schedules.ts'
import type { Schedule } from '../src/schedule_types.ts'
import { timingOf } from '../src/schedules/timings.ts'

const ACTIONS = ['pause', 'resume', 'run', 'delete'] as const

/** The option that asks for each. */
const OPTIONS = { pause: 'pause', resume: 'resume', run: 'run-now', delete: 'delete' } as const

/** Schedules that are listed at a time. */
const PAGE = 500

/**
 * Lists schedules, and pauses, resumes, runs and deletes them.
 */
export default class QueueSchedules extends QueueCommand {
  static override commandName = 'queue:schedules'
  static override description = 'List recurring jobs; pause, resume, run or delete one'
  static override help = [
    'Without a name all schedules are listed, with their next run.',
    '',
    '  {{ binaryName }} queue:schedules --json',
    '  {{ binaryName }} queue:schedules nightly',
    '  {{ binaryName }} queue:schedules nightly --run-now',
  ]

  @args.string({ description: 'Name or id of one schedule', required: false })
  declare name?: string

  @flags.boolean({ description: 'Make no runs until it is resumed' })
  declare pause: boolean

  @flags.boolean({ description: 'Make runs again' })
  declare resume: boolean

  @flags.boolean({ description: 'Run it now, whatever its policies say' })
  declare runNow: boolean

  @flags.boolean({ description: 'Delete it; its jobs stay' })
  declare delete: boolean

  @flags.boolean({ description: 'Do not ask before it is deleted' })
  declare force: boolean

  protected async answer() {
    const { container } = this.app
    const records = await container.make('queuedeck.records')
    const config = await container.make('queuedeck.config')
    const queue = await container.make('queuedeck')
    const operations = new ScheduleOperations({
      transport: await container.make('queuedeck.transport'),
      ...{ queue, records },
    })
    const keys = new SecretKeys(config.dashboard.redact)
    const { registry } = queue
    const texts = { registry, texts: new JobTexts(keys, async () => null) }
    const wanted = ACTIONS.filter((action) => (action === 'run' ? this.runNow : this[action]))
    if (wanted.length > 1) {
      const [one, other] = wanted.map((action) => OPTIONS[action])
      throw new E_INVALID_OPTION([other, `excludes "${one}": give one of them`])
    }
    const [action] = wanted
    if (this.name === undefined) {
      if (action !== undefined) {
        throw new E_INVALID_OPTION([OPTIONS[action], 'needs the name of a schedule'])
      }
      const all: Schedule[] = []
      for (let after = ''; ; after = all.at(-1)!.name) {
        const page = await records.schedules.list({ after, limit: PAGE })
        all.push(...page)
        this.goesOn()
        if (page.length < PAGE) break
      }
      if (all.length === 0) this.say('no schedules')
      for (const schedule of all) this.#line(schedule)
      const shown = all.map((schedule) => scheduleJson(schedule, texts, Date.now()))
      return { data: await Promise.all(shown) }
    }
    const schedule = await operations.named(this.name)
    if (action === undefined) {
      this.#line(schedule)
      const trouble = troubleOf(schedule)
      if (trouble !== null) this.say(`  ${plain(trouble)}`)
      for (const at of nextRuns(schedule, Date.now(), 5)) {
        this.say(`  ${new Date(at).toISOString()}`)
      }
      return scheduleJson(schedule, texts, Date.now())
    }
    if (action === 'delete' && !this.force) await this.#confirm(schedule)
    const answer = await operations[action](schedule, this.actor)
    this.#tell(answer, action)
    const { outcome, reason, jobId } = answer
    return {
      ...{ outcome, reason, ...(jobId === undefined ? {} : { jobId }) },
      schedule: await scheduleJson(answer.schedule, texts, Date.now()),
    }
  }

  async #confirm({ name }: Schedule): Promise<void> {
    if (this.json) throw new E_INVALID_OPTION(['delete', 'needs --force together with --json'])
    if (process.stdin.isTTY !== true) {
      throw new E_INVALID_OPTION([
        'delete',
        'asks first, and nobody can be asked here: add --force',
      ])
    }
    const isSure = await this.asks(() => this.prompt.confirm(`Delete schedule ${plain(name)}?`))
    if (!isSure) throw new E_INVALID_OPTION(['delete', 'was not confirmed: nothing was deleted'])
  }

  #tell({ outcome, reason, schedule, jobId }: ScheduleAnswer, action: string): void {
    if (outcome === 'refused') {
      this.exitCode = 1
      this.say(`${plain(schedule.name)}: ${reason}`)
    } else {
      const words = { pause: 'paused', resume: 'resumed', run: `job ${jobId}`, delete: 'deleted' }
      this.say(`${plain(schedule.name)}: ${words[action as keyof typeof words]}`)
    }
  }

  #line(schedule: Schedule): void {
    const { name, type, zone } = schedule
    const [next] = nextRuns(schedule, Date.now(), 1)
    const state = stateOf(schedule)
    const when =
      next === undefined
        ? state === 'active'
          ? 'never again'
          : state
        : `next ${new Date(next).toISOString()}`
    const words = timingOf(schedule).words + (zone === null ? '' : `, ${zone}`)
    this.say(`${plain(name)}: ${plain(type)}, ${plain(words)}, ${when}`)
  }
}
