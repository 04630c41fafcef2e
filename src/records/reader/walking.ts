import type { Db } from '../dialect/db.ts'
import type { Filter } from './filter.ts'
import { conditionOf, conditionOfAll, conditionsOf, rangesOf } from './range.ts'
import { fence, hint, orderBy, run, union, type Order, type Sql } from './sql.ts'
import { isBefore, MOST_RANGES, widthOf, type Found, type Stretch, type Walk } from './walk.ts'

const WHOLE: Stretch = { after: null, until: null }

/**
 * The first `limit` jobs of a walk that answers the whole filter: one short range each, merged.
 */
export async function readWalk(
  db: Db,
  walk: Walk,
  filter: Filter,
  stretch: Stretch,
  order: Order,
  limit: number
): Promise<Found[]> {
  const arms = rangesOf(walk).flatMap((range) =>
    conditionsOf(db, walk, range, filter, stretch, order).map((where) =>
      arm(db, walk, walk.keys, where, ` ${inOrder(walk, order)} limit ${limit}`)
    )
  )
  if (arms.length === 0) return []
  const merged = union(db.dialect, arms)
  if (arms.length === 1) return found(await run(db, merged), walk.keys)
  const once = walk.times > 1 ? ` group by ${walk.keys.join(', ')}` : ''
  const rows = await run(db, {
    text: `select ${walk.keys.join(', ')} from (${merged.text}) u${once} order by ${orderBy(walk.keys, order)} limit ${limit}`,
    values: merged.values,
  })
  return found(rows, walk.keys)
}

/**
 * The key up to which a walk holds about `size` jobs behind `after`; null when all ranges end before. With many ranges it holds
 * fewer: each of them is passed to find it.
 */
export async function boundary(
  db: Db,
  walk: Walk,
  filter: Filter,
  after: number[] | null,
  order: Order,
  size: number
): Promise<number[] | null> {
  const passed = Math.ceil(size / Math.sqrt(widthOf(walk))) - 1
  const arms = rangesOf(walk).map((range) => {
    const where = conditionOf(db, walk, range, filter, { after, until: null }, order)
    return arm(db, walk, walk.keys, where, ` ${inOrder(walk, order)} limit 1 offset ${passed}`)
  })
  const rows = arms.length === 0 ? [] : await run(db, union(db.dialect, arms))
  const keys = rows.map((row) => walk.keys.map((key) => Number(row[key])))
  const nearest = (one: number[], other: number[]) => (isBefore(one, other, order) ? one : other)
  return keys.length === 0 ? null : keys.reduce(nearest)
}

/**
 * Jobs of a stretch of a walk that satisfy further conditions (on `j`), in the order of `keys`.
 */
export async function searchWalk(
  db: Db,
  walk: Walk,
  filter: Filter,
  stretch: Stretch,
  rest: Sql,
  keys: string[],
  order: Order,
  limit: number
): Promise<Found[]> {
  const candidates = candidatesOf(db, walk, filter, stretch, order)
  const rows = await run(db, {
    text: `select ${keys.map((key) => `j.${key}`).join(', ')} from (${candidates.text}) j where ${rest.text} order by ${orderBy(keys, order, 'j.')} limit ${limit}`,
    values: [...candidates.values, ...rest.values],
  })
  return found(rows, keys)
}

/** What conditions and sort keys may name of a candidate. */
const NARROW = [
  'seq',
  'id',
  'status',
  'progress',
  'duration',
  'created_at',
  'tagged',
  'type_id',
  'queue_id',
  'user_id',
  'host_id',
]

/**
 * All jobs of a stretch of a walk, narrow, as a subquery.
 */
export function candidatesOf(
  db: Db,
  walk: Walk,
  filter: Filter,
  stretch: Stretch,
  order: Order
): Sql {
  const isJobs = walk.table === 'queuedeck_jobs'
  const columns = isJobs ? NARROW : ['seq']
  const all = allOf(db, walk, columns, filter, stretch, order)
  if (isJobs) return { text: all.text + fence(db.dialect), values: all.values }
  const once = walk.times > 1 ? 'distinct ' : ''
  const seqs =
    walk.times > 1 || db.dialect === 'postgres'
      ? `(select ${once}seq from (${all.text}) a${fence(db.dialect)}) g`
      : `(${all.text}) g`
  return { text: jobsOf(db, seqs), values: all.values }
}

/**
 * All entries of a stretch. PostgreSQL and SQLite know the end of a piece by its number of entries alone: they would pass all that
 * share the first key with the last one, and a tenth of all jobs may take no time at all.
 */
function allOf(
  db: Db,
  walk: Walk,
  columns: string[],
  filter: Filter,
  stretch: Stretch,
  order: Order
): Sql {
  const width = widthOf(walk)
  const { after, until, size } = stretch
  const isPiece = width === 1 && until !== null && size !== undefined
  const isMerged = db.dialect === 'postgres' && width > 0 && width <= MOST_RANGES
  if (walk.isLoose || !(isMerged || (db.dialect === 'sqlite' && isPiece)))
    return arm(db, walk, columns, conditionOfAll(db, walk, filter, stretch, order), '')
  const read = isPiece ? { after, until: null } : stretch
  const end = isPiece ? ` ${inOrder(walk, order)} limit ${size}` : ''
  const arms = rangesOf(walk).map((range) =>
    arm(db, walk, columns, conditionOf(db, walk, range, filter, read, order), end)
  )
  return union(db.dialect, arms)
}

/** Reads jobs one by one: every planner would rather read all of them, thinking that few thousand are many. */
function jobsOf({ dialect }: Db, seqs: string): string {
  const columns = NARROW.map((column) => `n.${column}`).join(', ')
  if (dialect === 'postgres') {
    return `select ${columns} from ${seqs} cross join lateral (select ${NARROW.join(', ')} from queuedeck_jobs where seq = g.seq offset 0) n offset 0`
  }
  const join = dialect === 'sqlite' ? 'cross join' : 'straight_join'
  return `select ${columns} from ${seqs} ${join} queuedeck_jobs n on n.seq = g.seq`
}

/**
 * Counts the jobs of a walk, giving up at `most`. Where entries name jobs several times, so many more are read: in fewer there may be less
 * than `most` jobs though there are more.
 */
export async function countWalk(db: Db, walk: Walk, filter: Filter, most: number): Promise<number> {
  if (widthOf(walk) === 0) return 0
  // One condition for all ranges: MySQL and MariaDB would count each of them to its end before they add up.
  const where = conditionOfAll(db, walk, filter, WHOLE, 'asc')
  const all = arm(db, walk, ['seq'], where, ` limit ${most * walk.times}`)
  const count = walk.times > 1 ? 'count(distinct seq)' : 'count(*)'
  const [{ n }] = await run(db, {
    text: `select ${count} as n from (${all.text}) v`,
    values: all.values,
  })
  return Math.min(Number(n), most)
}

function arm(db: Db, walk: Walk, columns: string[], where: Sql, end: string): Sql {
  return {
    text: `select ${columns.join(', ')} from ${walk.table}${hint(db.dialect, walk.index)} where ${where.text}${end}`,
    values: where.values,
  }
}

function inOrder({ keys }: Walk, order: Order): string {
  return `order by ${orderBy(keys, order)}`
}

function found(rows: Record<string, unknown>[], keys: string[]): Found[] {
  return rows.map((row) => ({
    seq: Number(row.seq),
    key: keys.map((key) => Number(row[key])),
  }))
}
