import { statusCode } from '../../statuses.ts'
import type { Session } from '../dialect/session.ts'
import { bytesToUuid } from '../ids.ts'
import { STAGE } from './belongings.ts'
import type { Ended } from './eraser.ts'
import { lists } from '../lists.ts'

/** A record that ended before a moment. */
export type Candidate = { seq: number; id: string; transportId: string; queue: string }

/** Where a walk over records stands. */
export type Place = { createdAt: number; seq: number }

/** `next` is where the walk goes on, null at its end. */
export type EndedPage = { candidates: Candidate[]; next: Place | null }

/** Rows of log and timeline that belong to a record. */
export type Weight = { logs: number; events: number }

/**
 * Records that ended in a time, in the order of submission. Reads without any lock: whoever deletes asks again.
 *
 * @param limit  How many records are looked at; those that ended at another time are left out, so fewer may come.
 */
export async function endedRecords(
  session: Session,
  { status, before, since = Number.NEGATIVE_INFINITY }: Ended,
  after: Place | null,
  limit: number
): Promise<EndedPage> {
  const beyond = after ? ' and created_at >= ? and (created_at > ? or seq > ?)' : ''
  // A range of the index by status: what was submitted later cannot have ended earlier.
  const rows = await session.all(
    `select seq, id, transport_id, queue_id, created_at, finished_at, stopping from queuedeck_jobs where status = ${statusCode(status)} and created_at < ?${beyond} order by created_at, seq limit ?`,
    [before, ...(after ? [after.createdAt, after.createdAt, after.seq] : []), limit]
  )
  const old = rows.filter(({ stopping, finished_at: finishedAt, created_at: createdAt }) => {
    const at = finishedAt ?? createdAt
    return stopping === 0 && at >= since && at < before
  })
  const queues = await queueNames(session, new Set(old.map((row) => row.queue_id)))
  const last = rows.at(-1)
  return {
    candidates: old.map((row) => {
      const id = typeof row.id === 'string' ? row.id : bytesToUuid(row.id)
      const queue = queues.get(row.queue_id)!
      return { seq: row.seq, id, transportId: row.transport_id ?? id, queue }
    }),
    next: last && rows.length === limit ? { createdAt: last.created_at, seq: last.seq } : null,
  }
}

/**
 * How much belongs to records, by number; those with nothing are absent.
 */
export async function weightsOf(session: Session, seqs: number[]): Promise<Map<number, Weight>> {
  const weights = new Map<number, Weight>()
  for (const table of ['logs', 'events'] as const) {
    for (const list of lists(seqs)) {
      const rows = await session.all(
        `select seq, count(*) as n from queuedeck_${table} where seq in (${list}) group by seq`
      )
      for (const { seq, n } of rows) {
        const weight = weights.get(seq) ?? { logs: 0, events: 0 }
        weight[table] = Number(n)
        weights.set(seq, weight)
      }
    }
  }
  return weights
}

/**
 * Those of these records that have lines of a log, or progress in their timeline.
 */
export async function withDetails(session: Session, seqs: number[]): Promise<Set<number>> {
  const found = new Set<number>()
  for (const list of lists(seqs)) {
    for (const sql of [
      `select distinct seq from queuedeck_logs where seq in (${list})`,
      `select distinct seq from queuedeck_events where seq in (${list}) and list like '${STAGE}'`,
    ]) {
      for (const { seq } of await session.all(sql)) found.add(seq)
    }
  }
  return found
}

async function queueNames(session: Session, ids: Set<number>): Promise<Map<number, string>> {
  if (ids.size === 0) return new Map()
  const select = 'select id, name from queuedeck_names where'
  const rows = await session.allIn(select, 'id', 'int', [...ids])
  return new Map(rows.map(({ id, name }) => [id, name]))
}
