import { args, flags } from '@adonisjs/core/ace'
import { outcomeLine } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { jobTexts } from '../src/console/texts.ts'
import { jobJson } from '../src/dashboard/presenters/job_json.ts'
import { CancelJob } from '../src/operations/cancel_job.ts'

/**
 * Cancel a job; one that runs is told to stop.
 */
export default class QueueCancel extends QueueCommand {
  static override commandName = 'queue:cancel'
  static override description = 'Cancel a job; one that runs is told to stop'

  @args.string({ description: 'Id of the job' })
  declare jobId: string

  @flags.string({ description: 'Why, shown on the page of the job' })
  declare reason?: string

  protected async answer() {
    const operation = new CancelJob(await this.dependencies())
    const answer = await operation.handle(this.jobId, this.actor, this.reason)
    const { outcome, reason, job } = answer
    if (outcome === 'too_late' || outcome === 'refused') this.exitCode = 1
    this.say(outcomeLine(answer))
    const texts = await (await jobTexts(this.app)).forJobs([job])
    return { outcome, reason, job: jobJson(job, texts.get(job.id)!) }
  }
}
