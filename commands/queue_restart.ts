import { args } from '@adonisjs/core/ace'
import { outcomeLine } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { jobTexts } from '../src/console/texts.ts'
import { waitingOrNull } from '../src/console/waiting.ts'
import { jobJson } from '../src/dashboard/presenters/job_json.ts'
import { RestartJob } from '../src/operations/restart_job.ts'

/**
 * Run a failed or cancelled job again.
 */
export default class QueueRestart extends QueueCommand {
  static override commandName = 'queue:restart'
  static override description = 'Run a failed or cancelled job again'

  @args.string({ description: 'Id of the job' })
  declare jobId: string

  protected async answer() {
    const dependencies = await this.dependencies()
    const operation = new RestartJob(dependencies)
    const answer = await operation.handle(this.jobId, this.actor)
    const { outcome, reason, job } = answer
    if (outcome === 'too_late' || outcome === 'refused') this.exitCode = 1
    this.say(outcomeLine(answer))
    const texts = await (await jobTexts(this.app)).forJobs([job])
    const waiting = await waitingOrNull(dependencies.transport, [job])
    return { outcome, reason, job: jobJson(job, texts.get(job.id)!, waiting?.get(job.id)) }
  }
}
