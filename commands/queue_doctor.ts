import { flags } from '@adonisjs/core/ace'
import { jobLine, plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { jobTexts } from '../src/console/texts.ts'
import { InvalidInputException } from '../src/errors.ts'
import { jobJson } from '../src/dashboard/presenters/job_json.ts'
import { JobRegistry } from '../src/jobs/registry.ts'
import { Doctor, type DoctorReport } from '../src/operations/doctor/doctor.ts'
import type { Severity } from '../src/operations/doctor/finding.ts'
import { EnqueueLost, type LostJobs } from '../src/operations/enqueue_lost.ts'

/**
 * Finds what keeps jobs from running, and says how to mend it.
 */
export default class QueueDoctor extends QueueCommand {
  static override commandName = 'queue:doctor'
  static override description = 'Find what keeps jobs from running, and how to mend it'
  static override help = [
    'Looks at Redis, the database, queues, limits, workers and the mirror, and changes nothing. Ends with exit code 1 when something',
    'is a problem: jobs do not run, are lost or are not recorded, or soon will be. Warnings and notes leave it at 0.',
    '',
    '  {{ binaryName }} queue:doctor',
    '  {{ binaryName }} queue:doctor --json',
    '',
    'After Redis was emptied, enqueue again what had not ended, from its records; it shows what it would do and asks first:',
    '',
    '  {{ binaryName }} queue:doctor --enqueue-lost',
    '  {{ binaryName }} queue:doctor --enqueue-lost --dry-run --json',
  ]

  @flags.boolean({ description: 'Enqueue again the jobs that Redis lost' })
  declare enqueueLost: boolean

  @flags.boolean({ description: 'With --enqueue-lost: only say what it would do' })
  declare dryRun: boolean

  @flags.boolean({ description: 'With --enqueue-lost: do not ask' })
  declare force: boolean

  protected async answer() {
    if (this.enqueueLost) return this.#enqueueLost()
    if (this.dryRun || this.force) {
      throw new InvalidInputException('--dry-run and --force belong to --enqueue-lost', 'dry-run')
    }
    return this.#examine()
  }

  async #examine() {
    const { container } = this.app
    const config = await container.make('queuedeck.config')
    const doctor = new Doctor({
      transport: await container.make('queuedeck.transport'),
      records: await container.make('queuedeck.records'),
      cleanup: await container.make('queuedeck.cleanup'),
      config,
      /** The application's own would log what is broken, and --json prints one document. */
      registry: new JobRegistry(this.app.makePath(config.jobs)),
    })
    const report = await doctor.examine()
    if (!report.healthy) this.exitCode = 1
    this.#tell(report)
    return report
  }

  async #enqueueLost() {
    const dependencies = await this.dependencies()
    const records = await this.app.container.make('queuedeck.records')
    const operation = new EnqueueLost({ ...dependencies, records })
    const lost = await operation.look(() => this.goesOn())
    const { count, queues, behind } = lost
    const texts = await (await jobTexts(this.app)).forJobs(lost.sample)
    const sample = lost.sample.map((job) => jobJson(job, texts.get(job.id)!))
    for (const job of lost.sample) this.say(jobLine(job, texts.get(job.id)!))
    for (const line of lostTexts(lost)) this.say(line)
    const found = { lost: { count, queues, sample, behind } }
    /** Of these nobody can say yet that nothing was lost. */
    if (Object.keys(behind).length > 0) this.exitCode = 1
    if (count === 0 || this.dryRun) return { ...found, enqueued: 0, refused: 0 }
    if (!this.force && !(await this.#isSure(count))) {
      this.exitCode = 1
      this.say('nothing was enqueued')
      return { ...found, enqueued: 0, refused: 0 }
    }
    const answer = await operation.handle(this.actor, () => this.goesOn())
    const { enqueued, refused, refusals } = answer
    for (const { id, reason } of refusals) this.say(`refused: job ${id}. ${plain(reason)}`)
    this.say(`${some(enqueued, 'job')} enqueued again, ${refused} refused`)
    if (refused > 0) this.exitCode = 1
    return { ...found, ...answer }
  }

  #isSure(count: number): Promise<boolean> {
    const what = some(count, 'lost job')
    if (this.json || process.stdin.isTTY !== true) {
      throw new InvalidInputException(
        `${what} would be enqueued again, and nobody can be asked here: add --force, or --dry-run to only look`,
        'force'
      )
    }
    return this.asks(() => this.prompt.confirm(`Enqueue ${what} again?`, { default: false }))
  }

  #tell({ findings, checks }: DoctorReport): void {
    for (const { severity, title, detail, remedy } of findings) {
      this.say(`${this.#mark(severity)}  ${this.colors.bold(plain(title))}`)
      this.say(`         ${plain(detail)}`)
      this.say(`         ${this.colors.cyan('→')} ${plain(remedy)}`)
      this.say('')
    }
    const skipped = checks.filter(({ outcome }) => outcome === 'skipped')
    for (const { title, reason } of skipped) {
      this.say(`${this.colors.dim('not seen')} ${title}: ${plain(reason ?? '')}`)
    }
    const count = (severity: Severity) => findings.filter((one) => one.severity === severity).length
    const parts = [
      some(count('problem'), 'problem'),
      some(count('warning'), 'warning'),
      some(count('info'), 'note'),
      ...(skipped.length > 0 ? [`${some(skipped.length, 'check')} not made`] : []),
    ]
    this.say(`${checks.length} checks: ${parts.join(', ')}`)
  }

  #mark(severity: Severity): string {
    switch (severity) {
      case 'problem':
        return this.colors.red('problem')
      case 'warning':
        return this.colors.yellow('warning')
      case 'info':
        return this.colors.blue('note   ')
    }
  }
}

function lostTexts({ count, queues, sample, behind }: LostJobs): string[] {
  const texts: string[] = []
  const unclear = Object.values(behind).reduce((total, jobs) => total + jobs, 0)
  if (count > 0) {
    const more = count > sample.length ? ` (the first ${sample.length} above)` : ''
    texts.push(`${some(count, 'job')} lost${more}, by queue: ${byQueue(queues)}`)
  }
  if (unclear > 0) {
    texts.push(
      `${some(unclear, 'job')} that Redis does not know may be lost or may have ended, by queue: ${byQueue(behind)}. The mirror is behind there: try again once it has caught up`
    )
  }
  return texts.length > 0 ? texts : ['Redis knows every job that has not ended: nothing was lost']
}

function byQueue(queues: Record<string, number>): string {
  return Object.entries(queues)
    .map(([queue, jobs]) => `${plain(queue)} ${jobs}`)
    .join(', ')
}

function some(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
