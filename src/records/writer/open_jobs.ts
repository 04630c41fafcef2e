import { isTerminal, STATUSES, statusCode, type JobStatus } from '../../statuses.ts'
import type { Session } from '../dialect/session.ts'
import { NO_FILTER } from '../reader/filter.ts'
import { compareKeys, sql } from '../reader/sql.ts'
import { byName, type Walk } from '../reader/walk.ts'
import { readWalk } from '../reader/walking.ts'

/** Where in the list of open jobs one stands: epoch milliseconds of its creation, and its number. */
export type OpenPlace = { createdAt: number; seq: number }

/** A record that is not terminal, or still `stopping`. */
export type OpenJob = { id: string; transportId: string; status: JobStatus; place: OpenPlace }

/** `unended`: without those that are `stopping`, for which many records may have to be passed. */
export type OpenPage = { after?: OpenPlace | undefined; limit: number; unended?: boolean }

const OPEN = STATUSES.filter((status) => !isTerminal(status)).map(statusCode)
const CANCELLED = statusCode('cancelled')

/**
 * Numbers of a queue's open jobs behind a place, oldest first. A job keeps its place when its status changes, so that none is
 * seen twice.
 */
export async function openSeqs(
  session: Session,
  queue: number,
  { after, limit, unended = false }: OpenPage
): Promise<number[]> {
  const behind = after ? [after.createdAt, after.seq] : null
  const read = (walk: Walk, until: number[] | null) =>
    readWalk(session, walk, NO_FILTER, { after: behind, until }, 'asc', limit)
  const open = await read(byName('queue', [queue], OPEN), null)
  if (unended) return open.map(({ seq }) => seq)
  // Few of the cancelled are still stopping, so the others are passed once: those of this page's time here, the rest later.
  const until = open.length === limit ? open[limit - 1].key : null
  const cancelled = byName('queue', [queue], [CANCELLED])
  const stopping = await read({ ...cancelled, extra: sql('stopping > 0') }, until)
  return [...open, ...stopping]
    .sort((one, other) => compareKeys(one.key, other.key))
    .slice(0, limit)
    .map(({ seq }) => seq)
}
