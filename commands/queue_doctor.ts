import { plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { JobRegistry } from '../src/jobs/registry.ts'
import { Doctor, type DoctorReport } from '../src/operations/doctor/doctor.ts'
import type { Severity } from '../src/operations/doctor/finding.ts'

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
  ]

  protected async answer() {
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

function some(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
