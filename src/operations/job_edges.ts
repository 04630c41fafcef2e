import { endOf } from '../jobs/awaited_jobs.ts'
import { edgeArguments, type AwaitedOutcome, type FlowEdge } from '../transport/flow_edges.ts'
import type { JobView } from '../types.ts'
import type { OperationDependencies } from './job_lookup.ts'

/**
 * What a job waits for, as its next run is told: each with how it ended by its record, for those that Redis has forgotten. One that has no
 * record, or that Redis lost, counts as failed. Empty for a job that waits for nobody.
 *
 * @param how.ignoreEnded  Jobs that have ended by then are not waited for, however they ended.
 * @throws E_DATABASE_UNAVAILABLE
 */
export async function edgesOf(
  { reader, transport }: OperationDependencies,
  job: Pick<JobView, 'id' | 'queue'>,
  how: { ignoreEnded: boolean }
): Promise<string[]> {
  const edges = await reader.edges.of('awaited', [job.id])
  if (edges.length === 0) return []
  const ids = edges.map(({ awaited }) => awaited)
  const rows = new Map((await reader.rowsById(ids)).map((row) => [row.id, row]))
  const known = new Map<string, AwaitedOutcome>()
  const list = edges.map(({ awaited, onFailure }): FlowEdge => {
    const row = rows.get(awaited)
    const place = row
      ? { queue: row.queue, id: row.transportId }
      : { queue: job.queue, id: awaited }
    const end = row ? endOf(row) : 'f'
    known.set(transport.keys.job(place.queue, place.id), end === 'open' ? 'f' : end)
    return { ...place, onFailure }
  })
  const args = edgeArguments(transport.keys, list, known)
  return how.ignoreEnded ? args.map((edge) => edge[0].toUpperCase() + edge.slice(1)) : args
}
