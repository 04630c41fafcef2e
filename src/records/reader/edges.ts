import { inParts } from '../../in_parts.ts'
import { STATUSES } from '../../statuses.ts'
import type { JobStatus } from '../../statuses.ts'
import type { Db } from '../dialect/db.ts'
import { bytesToUuid } from '../ids.ts'
import { EDGE_POLICIES } from '../tables.ts'
import { idValue } from './sql.ts'

/** `waiting` waits for `awaited`: ids of records; that of the awaited may be gone. */
export type Edge = { waiting: string; awaited: string; onFailure: (typeof EDGE_POLICIES)[number] }

/** Jobs by status; `missing` have no record. */
export type EdgeCounts = Partial<Record<JobStatus | 'missing', number>>

type Side = 'awaited' | 'waiting'

const AT_ONCE = 400

/**
 * What waits for what, by the records.
 */
export class EdgeReader {
  constructor(private db: Db) {}

  /**
   * What these jobs wait for, or with `waiting` who waits for them.
   *
   * @param most  Edges to answer at most; those of older jobs first.
   */
  async of(side: Side, ids: readonly string[], most = Infinity): Promise<Edge[]> {
    const edges: Edge[] = []
    for (const some of inParts(ids, AT_ONCE)) {
      if (edges.length >= most) break
      const column = side === 'awaited' ? 'j.id' : 'e.awaited'
      const limit = Number.isFinite(most) ? ` limit ${Math.floor(most - edges.length)}` : ''
      const rows = await this.db.all(
        `select j.id as waiting, e.awaited, e.policy from queuedeck_edges e join queuedeck_jobs j on j.seq = e.seq where ${column} in (${some.map(() => '?').join(', ')}) order by ${side === 'awaited' ? 'e.awaited' : 'e.seq'}${limit}`,
        some.map((id) => idValue(this.db.dialect, id))
      )
      for (const { waiting, awaited, policy } of rows) {
        edges.push({
          waiting: text(waiting),
          awaited: text(awaited),
          onFailure: EDGE_POLICIES[policy] ?? 'cancel',
        })
      }
    }
    return edges
  }

  /** How many jobs of each status one waits for, or with `waiting` wait for it. */
  async counts(side: Side, id: string): Promise<EdgeCounts> {
    const from =
      side === 'awaited'
        ? 'queuedeck_edges e join queuedeck_jobs w on w.seq = e.seq left join queuedeck_jobs j on j.id = e.awaited where w.id = ?'
        : 'queuedeck_edges e join queuedeck_jobs j on j.seq = e.seq where e.awaited = ?'
    const rows = await this.db.all(
      `select j.status, count(*) as n from ${from} group by j.status`,
      [idValue(this.db.dialect, id)]
    )
    return Object.fromEntries(
      rows.map(({ status, n }) => [status === null ? 'missing' : STATUSES[status], Number(n)])
    )
  }

  /** How these jobs stand, a few hundred at most. */
  async statuses(ids: readonly string[]): Promise<EdgeCounts> {
    const rows = await this.db.all(
      `select status, count(*) as n from queuedeck_jobs where id in (${ids.map(() => '?').join(', ')}) group by status`,
      ids.map((id) => idValue(this.db.dialect, id))
    )
    const counts: EdgeCounts = {}
    let missing = ids.length
    for (const { status, n } of rows) {
      counts[STATUSES[status]] = Number(n)
      missing -= Number(n)
    }
    if (missing > 0) counts.missing = missing
    return counts
  }
}

function text(id: unknown): string {
  return typeof id === 'string' ? id : bytesToUuid(id as Uint8Array)
}
