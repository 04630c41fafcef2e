import { isTerminal, type JobStatus } from '../statuses.ts'
import type { TransportState } from '../transport/types.ts'
import type { RecordState } from './ports.ts'

/**
 * What Redis says about one job, at one position of its queue's event stream. `state` is '' when Redis does not know it.
 */
export type JobState = {
  state: TransportState | ''
  attempts: number
  run: number
  cancelRequested: boolean
}

/**
 * Code of a record whose transport vanished without a word: Redis was emptied, or lost its newest writes.
 */
export const LOST = 'LOST_IN_REDIS'

/**
 * The status that a job in Redis has, and whether its code still has to return after a cancellation.
 */
export function statusOf({ state, cancelRequested }: JobState): {
  status: JobStatus
  stopping: boolean
} {
  switch (state) {
    case 'completed':
      return { status: 'completed', stopping: false }
    case 'failed':
      return { status: cancelRequested ? 'cancelled' : 'failed', stopping: false }
    default:
      return cancelRequested
        ? { status: 'cancelled', stopping: true }
        : { status: OPEN[state || 'waiting'], stopping: false }
  }
}

const OPEN: Record<Exclude<TransportState, 'completed' | 'failed'>, JobStatus> = {
  'waiting': 'pending',
  'prioritized': 'pending',
  'delayed': 'scheduled',
  'waiting-children': 'blocked',
  'active': 'running',
}

/**
 * Whether a record, true as of the same position, does not say what Redis says.
 *
 * A terminal record stays as it is against another ending of the same run, and against an earlier run. Runs of other
 * producers' jobs are counted by the record alone, so a smaller number in Redis means nothing.
 */
export function isBehind(record: RecordState | undefined, job: JobState): boolean {
  if (job.state === '')
    return record !== undefined && (!isTerminal(record.status) || record.stopping)
  if (!record || !record.hasPayload || job.run > record.run) return true
  const { status, stopping } = statusOf(job)
  const isOver = isTerminal(record.status) && !record.stopping
  if (isOver && isTerminal(status) && !stopping) return false
  if (record.status !== status || record.stopping !== stopping) return true
  return job.run === record.run && job.attempts > record.attempts
}
