import { recordId } from '../records/ids.ts'
import type { JobStatus } from '../statuses.ts'
import { flowChildren, type FlowChildren } from '../transport/flow_children.ts'
import type { JobPlace, Keys } from '../transport/keys.ts'
import type { Transport } from '../transport/transport.ts'
import type { JobDetails } from '../types.ts'
import type { JobReader } from './job_lookup.ts'

/** Children that are named. */
const MOST_CHILDREN = 100

/** A job of the same flow; `type` and `status` are null while no record tells them. */
export type FamilyMember = {
  id: string
  queue: string
  type: string | null
  status: JobStatus | null
}

/** Whom a job belongs to in a flow that BullMQ made. */
export type JobFamily = {
  parent: FamilyMember | null
  /** Null where it never had any, or Redis, which alone knows them, has forgotten the job or does not answer. */
  children: { total: number; jobs: FamilyMember[] } | null
}

/**
 * The flow around a job; null where it has none.
 *
 * @param children as `childrenOf` answers
 * @throws E_DATABASE_UNAVAILABLE
 */
export async function familyOf(
  { transport, reader }: { transport: Transport; reader: Pick<JobReader, 'rowsById'> },
  job: JobDetails,
  children: FlowChildren | null
): Promise<JobFamily | null> {
  const parent = parentOf(job.options, transport.keys)
  if (parent === null && children === null) return null
  const places = [...(parent ? [parent] : []), ...(children?.some ?? [])]
  const ids = places.map(({ queue, id }) => recordId(queue, id))
  const rows = new Map((await reader.rowsById(ids)).map((row) => [row.id, row]))
  const members = places.map(({ queue }, at): FamilyMember => {
    const row = rows.get(ids[at])
    return { id: ids[at], queue, type: row?.type ?? null, status: row?.status ?? null }
  })
  const first = parent ? members.shift()! : null
  /** In the order in which they were made. */
  members.sort((a, b) => (rows.get(a.id)?.createdAt ?? 0) - (rows.get(b.id)?.createdAt ?? 0))
  return { parent: first, children: children && { total: children.total, jobs: members } }
}

/**
 * The children of a job as Redis knows them; null where there are none. Only a job that was blocked can have any, so Redis is asked for
 * no other.
 *
 * @throws E_REDIS_UNAVAILABLE
 */
export async function childrenOf(
  transport: Transport,
  job: JobDetails
): Promise<FlowChildren | null> {
  const wasBlocked = job.status === 'blocked' || job.events.some(({ kind }) => kind === 'blocked')
  if (!wasBlocked || !job.hasTransport) return null
  const place = { queue: job.queue, id: job.transportId }
  const found = await flowChildren(transport, place, MOST_CHILDREN)
  return found.total === 0 ? null : found
}

/** BullMQ notes the parent in the options: `{ parent: { id, queue: '<prefix>:<queue>' } }`. */
function parentOf(options: string | null, keys: Keys): JobPlace | null {
  let parent: unknown
  try {
    parent = (JSON.parse(options ?? '{}') as { parent?: unknown } | null)?.parent
  } catch {
    return null
  }
  const { id, queue } = (parent ?? {}) as { id?: unknown; queue?: unknown }
  if (typeof id !== 'string' || typeof queue !== 'string') return null
  return queue.startsWith(`${keys.prefix}:`) ? keys.placeOf(`${queue}:${id}`) : null
}
