import type { Session } from '../dialect/session.ts'
import { NAME_KINDS } from '../tables.ts'
import { namesOfMetrics } from '../metrics/metric_eraser.ts'
import { lists } from '../lists.ts'

/** Where `sweepCounts` goes on. */
export type SweepPlace =
  { table: 'timeline' | 'cube'; at: number } | { table: 'names'; kind: number; id: number }

export type SweepStep = { next: SweepPlace | null; removed: number }

/** Slots and days that one transaction looks through, and names. */
const SPAN = { timeline: 5_000, cube: 10 }
const NAMES = 500

const COLUMN = { timeline: 'slot', cube: 'day' }

/**
 * One short step of removing counts that are zero, and names that no record has any more. To be called under the lock of
 * records (`Eraser.locked`) until it answers `next: null`.
 *
 * @param from  null at the beginning
 * @returns how many counts and names went
 */
export async function sweepCounts(session: Session, from: SweepPlace | null): Promise<SweepStep> {
  if (from === null) return { next: await begin(session, 'timeline', 0), removed: 0 }
  if (from.table === 'names') return sweepNames(session, from)
  const { table, at } = from
  const end = at + SPAN[table]
  const removed = await session.run(
    `delete from queuedeck_${table} where ${COLUMN[table]} >= ? and ${COLUMN[table]} < ? and n = 0`,
    [at, end]
  )
  return { next: await begin(session, table, end), removed }
}

/** The first place of a table from `at` on, else of the one after it. */
async function begin(
  session: Session,
  table: 'timeline' | 'cube',
  at: number
): Promise<SweepPlace> {
  const column = COLUMN[table]
  const [{ first }] = await session.all(
    `select min(${column}) as first from queuedeck_${table} where ${column} >= ?`,
    [at]
  )
  if (first !== null) return { table, at: Number(first) }
  return table === 'timeline' ? begin(session, 'cube', 0) : { table: 'names', kind: 0, id: 0 }
}

async function sweepNames(session: Session, from: { kind: number; id: number }) {
  const rows = await session.all(
    `select kind, name_id, max(abs(n)) as most from queuedeck_counters where kind > 0 and (kind > ? or (kind = ? and name_id > ?)) group by kind, name_id order by kind, name_id limit ?`,
    [from.kind, from.kind, from.id, NAMES]
  )
  const empty = rows.filter(({ most }) => Number(most) === 0)
  let removed = 0
  if (empty.length > 0) {
    // The newest name stays: SQLite would give its number to another, and processes remember names by their numbers.
    const [{ newest }] = await session.all('select max(id) as newest from queuedeck_names')
    for (const kind of Object.values(NAME_KINDS)) {
      const ids = empty
        .filter((row) => row.kind === kind && row.name_id !== newest)
        .map((row) => Number(row.name_id))
      const measured = await namesOfMetrics(session, kind, ids)
      for (const list of lists(ids.filter((id) => !measured.has(id)))) {
        await session.run(
          `delete from queuedeck_counters where kind = ${kind} and name_id in (${list})`
        )
        removed += await session.run(
          `delete from queuedeck_names where kind = ${kind} and id in (${list})`
        )
      }
    }
    // Mirrors forget the numbers that they remember: see `Writer`.
    if (removed > 0) {
      await session.run(`update queuedeck_meta set value = value + 1 where name = 'made'`)
    }
  }
  const last = rows.at(-1)
  const next: SweepPlace | null =
    last && rows.length === NAMES ? { table: 'names', kind: last.kind, id: last.name_id } : null
  return { next, removed }
}
