import type { ClaimedJob } from './claim.ts'
import type { Outcome } from './outcome.ts'
import type { WorkerRuntime } from './runtime.ts'

/**
 * What becomes of a schedule's job that is about to run: it is left out or waits, by the schedule's policies; undefined when it runs.
 * Redis decides, so that any number of workers agree. A Redis that cannot be asked lets it run: no accepted job is lost.
 */
export async function outcomeBySchedule(
  runtime: Pick<WorkerRuntime, 'startScheduled' | 'logger'>,
  queue: string,
  { id, schedule }: ClaimedJob
): Promise<Outcome | undefined> {
  try {
    const { verdict, reason } = await runtime.startScheduled(queue, id, schedule!)
    switch (verdict) {
      case 'run':
        return undefined
      case 'wait':
        return { kind: 'postponed' }
      case 'overlap':
      case 'missed': {
        const code = verdict === 'overlap' ? 'SCHEDULE_OVERLAP' : 'SCHEDULE_MISSED'
        return { kind: 'cancelled', failure: { code, message: reason, stack: null } }
      }
    }
  } catch (error) {
    runtime.logger.warn(
      { err: error, jobId: id, queue },
      'The policies of a schedule were not read'
    )
    return undefined
  }
}
