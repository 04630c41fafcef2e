import { E_MIRROR_BEHIND } from '../errors.ts'
import { endOf } from '../jobs/awaited_jobs.ts'
import { recordId } from '../records/ids.ts'
import type { Edge } from '../records/reader/edges.ts'
import {
  edgeArguments,
  EDGES_AT_ONCE,
  type AwaitedOutcome,
  type FlowEdge,
} from '../transport/flow_edges.ts'
import type { JobView } from '../types.ts'
import { ForgottenJobs } from './forgotten_jobs.ts'
import type { OperationDependencies } from './job_lookup.ts'

type EdgesJob = Pick<JobView, 'id' | 'queue' | 'transportId'>

/** Jobs that a job waits for, and how they ended by their records, by their keys. */
export type RecordedEdges = { edges: FlowEdge[]; known: Map<string, AwaitedOutcome> }

type How = {
  /** Jobs that have ended by then are not waited for, however they ended. */
  ignoreEnded?: boolean
  /** Where many jobs are asked about: a mirror that is behind is waited for once. */
  gone?: ForgottenJobs
}

/**
 * What a job waits for by its record. An awaited job that has no record, or that Redis lost, counts as failed.
 *
 * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIRROR_BEHIND
 */
export async function recordedEdges(
  dependencies: OperationDependencies,
  job: EdgesJob,
  { ignoreEnded = false, gone = new ForgottenJobs(dependencies) }: How = {}
): Promise<RecordedEdges> {
  const { reader, transport } = dependencies
  const found = await asNamed(transport, job, await reader.edges.of('awaited', [job.id]))
  const ids = found.map(({ awaited }) => awaited)
  const rows = new Map((await reader.rowsById(ids)).map((row) => [row.id, row]))
  if (!ignoreEnded) {
    /** Redis itself knows how the others ended. A job that completed stays so. */
    const doubtful = [...rows.values()].filter((row) => endOf(row) !== 'c')
    const { forgotten, behind } = await gone.among(doubtful)
    if (behind.length > 0) throw new E_MIRROR_BEHIND([behind[0].queue])
    for (const row of forgotten) rows.set(row.id, row)
  }
  const known = new Map<string, AwaitedOutcome>()
  const edges = found.map(({ awaited, onFailure }): FlowEdge => {
    const row = rows.get(awaited)
    const place = row
      ? { queue: row.queue, id: row.transportId }
      : { queue: job.queue, id: awaited }
    const end = row ? endOf(row) : 'f'
    known.set(transport.keys.job(place.queue, place.id), end === 'open' ? 'f' : end)
    return { ...place, onFailure }
  })
  return { edges, known }
}

/**
 * In the order in which they were named, as long as Redis has it: it is what `awaited()` promises, and records do not tell it. A short
 * list stands in the job's options as it was named; without Redis jobs come in the order in which they were made.
 */
async function asNamed(
  transport: OperationDependencies['transport'],
  { queue, transportId: id }: EdgesJob,
  found: Edge[]
): Promise<Edge[]> {
  if (found.length <= EDGES_AT_ONCE) return found
  const named = await transport.connections.produce('awaited jobs cannot be read', (client) =>
    transport.flows.listOf({ queue, id }, client)
  )
  const places = new Map(named.map((edge, place) => [recordId(edge.queue, edge.id), place]))
  const placeOf = ({ awaited }: Edge) => places.get(awaited) ?? places.size
  return found.sort((one, other) => placeOf(one) - placeOf(other))
}

/**
 * What a job waits for, as its next run is told: each with how it ended by its record, for those that Redis has forgotten. Empty for a
 * job that waits for nobody.
 *
 * @throws as `recordedEdges`
 */
export async function edgesOf(
  dependencies: OperationDependencies,
  job: EdgesJob,
  how: How & { ignoreEnded: boolean }
): Promise<string[]> {
  const { edges, known } = await recordedEdges(dependencies, job, how)
  return edgeArguments(dependencies.transport.keys, edges, known, how.ignoreEnded)
}
