import type { JobScheduler } from 'bullmq'
import type { LogSink } from '../jobs/job_context.ts'
import type { ClaimedJob } from './claim.ts'

/**
 * Makes the next job of a BullMQ job scheduler, when one of its jobs was claimed: another producer set it up and relies on
 * workers to go on with it, as BullMQ's own do. What goes wrong is logged: the job itself runs all the same.
 */
export async function continueScheduler(
  scheduler: () => Promise<JobScheduler>,
  job: ClaimedJob,
  queue: string,
  logger: LogSink
): Promise<void> {
  try {
    await goOn(await scheduler(), job)
  } catch (error) {
    logger.error(
      { err: error, queue, scheduler: job.schedulerId },
      'The next job of a BullMQ job scheduler could not be made'
    )
  }
}

async function goOn(scheduler: JobScheduler, job: ClaimedJob): Promise<void> {
  const id = job.schedulerId
  if (id === null || !(await scheduler.isJobScheduler(id))) {
    return
  }
  const { repeat = {}, ...options } = job.options
  await scheduler.upsertJobScheduler(
    id,
    repeat as never,
    job.type,
    parsed(job.data) as never,
    options as never,
    {
      override: false,
      producerId: job.id,
    }
  )
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return {}
  }
}
