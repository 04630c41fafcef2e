import type { JobView } from '../types.ts'
import { JobQuery } from './job_query.ts'
import type { Reader } from './reader.ts'

/**
 * Pending jobs of a queue, those that were created first, in that order. Of the first `most` only: filters read names in any case, so
 * another queue's may be among them, and are left out.
 *
 * @param most  1 to 200
 */
export async function oldestPendingJobs(
  reader: Pick<Reader, 'page'>,
  queue: string,
  most: number
): Promise<JobView[]> {
  const sorted = { sort: 'created', direction: 'asc', limit: String(most) }
  const { rows } = await reader.page(JobQuery.from({ queue, status: 'pending', ...sorted }))
  return rows.filter((job) => job.queue === queue)
}
