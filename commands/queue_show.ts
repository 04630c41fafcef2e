import { args } from '@adonisjs/core/ace'
import { iso, jobAsJson, jobLine, plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { jobTexts } from '../src/console/texts.ts'
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
    const job = await findJob(await this.dependencies(), this.jobId)
    const { reader } = await this.app.container.make('queuedeck.records')
    const log = await reader.logs(job.id, { limit: NEWEST_LINES, newest: true })
    const texts = await jobTexts(this.app)
    const text = texts.make(job.id, job.sensitive, job)
    const shown = (json: string | null) =>
      json === null ? null : text.json(texts.redact(json)).text

    const [payload, options, result] = [job.payload, job.options, job.result].map(shown)
    const attempts = job.attemptList.map((attempt) => ({
      ...attempt,
      startedAt: iso(attempt.startedAt),
      finishedAt: iso(attempt.finishedAt),
      error: text.error(attempt.error),
    }))
    const logs = log.lines.map((line) => ({
      ...line,
      at: iso(line.at),
      line: text.line(line.line),
    }))

    this.say(jobLine(job, text))
    this.say(`created ${iso(job.createdAt)}, run ${job.run}`)
    for (const [name, json] of Object.entries({ payload, options, result })) {
      if (json !== null) this.say(`${name}: ${plain(json)}`)
    }
    for (const { run, attempt, outcome, startedAt, host, error } of attempts) {
      const where = host === null ? '' : ` on ${plain(host)}`
      this.say(`run ${run}, attempt ${attempt}: ${outcome}, ${startedAt}${where}`)
      if (error) this.say(`  ${error.code ? `${error.code}: ` : ''}${plain(error.message)}`)
    }
    for (const { at, level, line } of logs) this.say(`${at} ${level.padEnd(5)} ${plain(line)}`)
    /** Texts, not values: numbers above 2^53 keep their digits. */
    return {
      job: { ...jobAsJson(job, text), payload, options, result, attemptList: attempts, logs },
    }
  }
}
