import { args } from '@adonisjs/core/ace'
import { jobLine, plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { jobTexts } from '../src/console/texts.ts'
import { REASONS_UNKNOWN, waitingOrNull } from '../src/console/waiting.ts'
import { iso, jobDetailsJson, logJson } from '../src/dashboard/presenters/job_json.ts'
import { toJson } from '../src/dashboard/redaction/json_text.ts'
import {
  childrenOf,
  familyOf,
  type FamilyMember,
  type JobFamily,
} from '../src/operations/job_family.ts'
import { findJob } from '../src/operations/job_lookup.ts'

const NEWEST_LINES = 50

/**
 * Shows one job: what it was given and gave, its attempts and its newest log lines.
 */
export default class QueueShow extends QueueCommand {
  static override commandName = 'queue:show'
  static override description = 'Show a job with its attempts, result and log'

  @args.string({ description: 'Id of the job' })
  declare jobId: string

  protected async answer() {
    const dependencies = await this.dependencies()
    const job = await findJob(dependencies, this.jobId)
    const waiting = await waitingOrNull(dependencies.transport, [job])
    const reason = waiting?.get(job.id)
    const { reader } = await this.app.container.make('queuedeck.records')
    const log = await reader.logs(job.id, { limit: NEWEST_LINES, newest: true })
    const texts = await jobTexts(this.app)
    const text = texts.make(job, job)
    /** Asked for already whether Redis answers. */
    const children = waiting && (await childrenOf(dependencies.transport, job))
    const family = await familyOf(dependencies, job, children)
    const details = jobDetailsJson(job, texts, { waiting: reason, family })

    this.say(jobLine(job, text, reason))
    if (waiting === null) this.say(REASONS_UNKNOWN)
    this.say(`created ${iso(job.createdAt)}, run ${job.run}`)
    for (const name of ['payload', 'options', 'result'] as const) {
      const shown = details[name]
      if (shown !== null) this.say(`${name}: ${plain(toJson(shown))}`)
    }
    for (const [role, { id, queue, type, status }] of membersOf(family)) {
      this.say(`${role}: ${id} ${plain(type ?? '')} in ${plain(queue)}, ${status ?? 'no record'}`)
    }
    for (const { run, attempt, outcome, startedAt, host, error } of details.attempts) {
      const where = host === null ? '' : ` on ${plain(host)}`
      this.say(`run ${run}, attempt ${attempt}: ${outcome}, ${startedAt}${where}`)
      if (error) this.say(`  ${error.code ? `${error.code}: ` : ''}${plain(error.message)}`)
    }
    const logs = logJson(log, text)
    for (const { at, level, line } of logs.data) this.say(`${at} ${level.padEnd(5)} ${plain(line)}`)
    return { job: details, logs }
  }
}

function membersOf(family: JobFamily | null): ['parent' | 'child', FamilyMember][] {
  const children = family?.children?.jobs ?? []
  return [
    ...(family?.parent ? [['parent', family.parent] as ['parent', FamilyMember]] : []),
    ...children.map((child): ['child', FamilyMember] => ['child', child]),
  ]
}
