import type { BulkItem, BulkOperation } from '../../records/bulk/bulk_rows.ts'
import type { Actor, Outcome } from '../../types.ts'
import type { CancelJob } from '../cancel_job.ts'
import type { ChangePriority } from '../change_priority.ts'
import type { DeleteJob } from '../delete_job.ts'
import type { JobReader, OperationAnswer } from '../job_lookup.ts'
import type { RestartJob } from '../restart_job.ts'

export type BulkResult = { n: number; outcome: Outcome; reason: string | null }

export type BulkTools = {
  reader: Pick<JobReader, 'rowsById'>
  cancel: Pick<CancelJob, 'handle'>
  restart: Pick<RestartJob, 'handle'>
  delete: Pick<DeleteJob, 'handle'>
  priority: Pick<ChangePriority, 'handle'>
}

/**
 * Does to one job what an operation wants, and says what came of it.
 *
 * A process may have died behind the action and in front of its note: then the item comes again, as `begun`. So an item means one run of
 * its job: a job that has a later run is not acted on again, and what a begun item finds done counts as its own.
 *
 * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIRROR_BEHIND: it is not known what came of it, and it has to come again
 */
export async function actOn(
  tools: BulkTools,
  operation: Pick<BulkOperation, 'id' | 'action' | 'priority' | 'actor'>,
  item: BulkItem & { begun: boolean }
): Promise<BulkResult> {
  const { n, begun } = item
  const { action } = operation
  const mine = (outcome: Outcome = 'done'): BulkResult => ({ n, outcome, reason: null })
  const [row] = await tools.reader.rowsById([item.jobId])
  if (!row) {
    if (begun && action === 'delete') return mine()
    return { n, outcome: 'too_late', reason: 'The job was deleted meanwhile' }
  }
  if (row.run !== item.run) {
    if (begun && action === 'restart') return mine()
    return { n, outcome: 'too_late', reason: 'The job was restarted meanwhile' }
  }
  let answer: OperationAnswer
  try {
    answer = await handle(tools, operation, item.jobId)
  } catch (error) {
    const { code, status, message } = error as { code?: string; status?: number; message?: string }
    if (status === 503) throw error
    if (code === 'E_JOB_NOT_FOUND') {
      return begun && action === 'delete'
        ? mine()
        : { n, outcome: 'too_late', reason: 'The job was deleted meanwhile' }
    }
    return { n, outcome: 'refused', reason: message ?? String(error) }
  }
  const { outcome, reason, job } = answer
  if (begun && outcome === 'too_late') {
    if (action === 'cancel' && job.status === 'cancelled') {
      return mine(job.stopping ? 'requested' : 'done')
    }
    if (action === 'restart' && job.run > item.run) return mine()
    if (action === 'delete') return mine()
  }
  return { n, outcome, reason }
}

function handle(
  tools: BulkTools,
  { id, action, priority, actor }: Pick<BulkOperation, 'id' | 'action' | 'priority' | 'actor'>,
  jobId: string
): Promise<OperationAnswer> {
  const by: Actor = { ...actor, bulk: id }
  switch (action) {
    case 'cancel':
      return tools.cancel.handle(jobId, by)
    case 'restart':
      return tools.restart.handle(jobId, by)
    case 'delete':
      return tools.delete.handle(jobId, by)
    case 'priority':
      return tools.priority.handle(jobId, priority, by)
    case 'drain':
      throw new Error('A queue is drained as a whole, and lists no jobs')
  }
}
