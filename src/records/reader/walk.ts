import type { Db } from '../dialect/db.ts'
import {
  ALL_STATUSES,
  NAME_COLUMNS,
  type Filter,
  type FilterPart,
  type NameField,
} from './filter.ts'
import {
  every,
  fence,
  hint,
  joined,
  oneOf,
  orderBy,
  run,
  sql,
  union,
  type Order,
  type Sql,
} from './sql.ts'

/** A job found, with its sort key (`seq` last). */
export type Found = { seq: number; key: number[] }

/**
 * An index read in its own order: one range for each combination of the values in `lists`, each in the order of `keys`.
 */
export type Walk = {
  /** Alias `j` is jobs; tags repeat status and moment, so they are walked like an index of jobs. */
  table: 'queuedeck_jobs' | 'queuedeck_tags'
  index: string | null
  lists: { column: string; values: number[] }[]
  keys: string[]
  /** Condition that comes with the index: a partial one is usable with it only. */
  extra: Sql | null
  /** Parts of the filter that the ranges answer. */
  answers: FilterPart[]
  /** Ranges may name one job twice: it has two of the tags. */
  doubles: boolean
}

/** Where on a walk to read: behind `after`, up to and including `until`. Keys as in `Walk.keys`. */
export type Stretch = { after: number[] | null; until: number[] | null }

/** More ranges than this are not merged one by one. */
export const MOST_RANGES = 64

const INDEX = 'queuedeck_jobs_'
const CREATED = ['created_at', 'seq']

function jobs(index: string, keys: string[], rest: Partial<Walk> = {}): Walk {
  return {
    table: 'queuedeck_jobs',
    index: INDEX + index,
    lists: [],
    keys,
    extra: null,
    answers: [],
    doubles: false,
    ...rest,
  }
}

/** Newest or oldest first, among everything. */
export function byCreated(): Walk {
  return jobs('created', CREATED, { answers: ['time'] })
}

/** Newest or oldest first, by status. */
export function byStatus(statuses: number[]): Walk {
  return jobs('status', CREATED, {
    lists: [{ column: 'status', values: statuses }],
    answers: ['status', 'time'],
  })
}

/** Newest or oldest first, by one of the name filters and status. */
export function byName(
  field: NameField,
  ids: number[],
  statuses: readonly number[] = ALL_STATUSES
): Walk {
  return jobs(field, CREATED, {
    lists: [
      { column: NAME_COLUMNS[field], values: ids },
      { column: 'status', values: [...statuses] },
    ],
    answers: [field, 'status', 'time'],
  })
}

/** Newest or oldest first, by tag and status. */
export function byTag(tags: number[], statuses: readonly number[] = ALL_STATUSES): Walk {
  return {
    table: 'queuedeck_tags',
    index: null,
    lists: [
      { column: 'tag_id', values: tags },
      { column: 'status', values: [...statuses] },
    ],
    keys: CREATED,
    extra: null,
    answers: ['tag', 'status', 'time'],
    doubles: tags.length > 1,
  }
}

/** By duration among those that have one; of some types only, where these are named. */
export function byDuration(types: number[] | null): Walk {
  const extra = sql('duration >= 0')
  if (!types) return jobs('duration', ['duration', 'seq'], { extra })
  return jobs('type_duration', ['duration', 'seq'], {
    extra,
    lists: [{ column: 'type_id', values: types }],
    answers: ['type'],
  })
}

/** Those without a duration, in the order of their coming. */
export function withoutDuration(types: number[] | null): Walk {
  const none = { column: 'duration', values: [-1] }
  if (!types) return jobs('duration', ['seq'], { lists: [none] })
  return jobs('type_duration', ['seq'], {
    lists: [{ column: 'type_id', values: types }, none],
    answers: ['type'],
  })
}

/** By progress among those that are not completed. */
export function byProgress(completed: number): Walk {
  return jobs('progress', ['progress', 'created_at', 'seq'], {
    extra: sql(`progress < ${completed}`),
  })
}

/** Those whose ids a condition names, in no order of use: only good while they are few enough to be sorted. */
export function byIds(condition: Sql): Walk {
  return jobs('id', CREATED, { extra: condition })
}

export function rangesOf(walk: Walk): number {
  return walk.lists.reduce((ranges, { values }) => ranges * values.length, 1)
}

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
  const arms = combinations(walk).flatMap((range) =>
    stretches(db, walk, stretch, order).map((part) => {
      const where = every([...equals(db, range), ...common(walk, filter), part])
      const text = `select ${walk.keys.join(', ')} from ${walk.table}${hint(db.dialect, walk.index)} where ${where.text} order by ${orderBy(walk.keys, order)} limit ${limit}`
      return { text, values: where.values }
    })
  )
  if (arms.length === 0) return []
  const merged = union(db.dialect, arms)
  if (arms.length === 1) return found(await run(db, merged), walk.keys)
  const once = walk.doubles ? ` group by ${walk.keys.join(', ')}` : ''
  const rows = await run(db, {
    text: `select ${walk.keys.join(', ')} from (${merged.text}) u${once} order by ${orderBy(walk.keys, order)} limit ${limit}`,
    values: merged.values,
  })
  return found(rows, walk.keys)
}

/**
 * The key up to which a walk holds about `size` jobs of the widest range behind `after`; null when all ranges end before.
 */
export async function boundary(
  db: Db,
  walk: Walk,
  filter: Filter,
  after: number[] | null,
  order: Order,
  size: number
): Promise<number[] | null> {
  const behind = after ? [compared(db, walk.keys, after, order === 'desc' ? '<' : '>')] : []
  const arms = combinations(walk).map((range) => {
    const where = every([...equals(db, range), ...common(walk, filter), ...behind])
    const text = `select ${walk.keys.join(', ')} from ${walk.table}${hint(db.dialect, walk.index)} where ${where.text} order by ${orderBy(walk.keys, order)} limit 1 offset ${size - 1}`
    return { text, values: where.values }
  })
  const rows = arms.length === 0 ? [] : await run(db, union(db.dialect, arms))
  const keys = rows.map((row) => walk.keys.map((key) => Number(row[key])))
  const nearest = (one: number[], other: number[]) => (isBefore(one, other, order) ? one : other)
  return keys.length === 0 ? null : keys.reduce(nearest)
}

/**
 * Jobs of a stretch of a walk that satisfy further conditions (on `j`), in any order. `columns` name what `keys` needs.
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
  'type_id',
  'queue_id',
  'user_id',
  'host_id',
]

/**
 * All jobs of a stretch of a walk in `order`, narrow, as a subquery.
 */
export function candidatesOf(
  db: Db,
  walk: Walk,
  filter: Filter,
  { after, until }: Stretch,
  order: Order
): Sql {
  const [beyond, upTo] = order === 'desc' ? (['<', '>='] as const) : (['>', '<='] as const)
  const inner = every([
    ...walk.lists.map(({ column, values }) => oneOf(column, values)),
    ...common(walk, filter),
    ...(after ? [compared(db, walk.keys, after, beyond)] : []),
    ...(until ? [compared(db, walk.keys, until, upTo)] : []),
  ])
  if (walk.table === 'queuedeck_jobs') {
    return {
      text: `select ${NARROW.join(', ')} from queuedeck_jobs${hint(db.dialect, walk.index)} where ${inner.text}${fence(db.dialect)}`,
      values: inner.values,
    }
  }
  const seqs = `(select ${walk.doubles ? 'distinct ' : ''}seq from queuedeck_tags where ${inner.text}${fence(db.dialect)}) g`
  return { text: jobsOf(db, seqs), values: inner.values }
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
 * Counts the entries of a walk, giving up at `most`.
 */
export async function countWalk(db: Db, walk: Walk, filter: Filter, most: number): Promise<number> {
  const arms = combinations(walk).map((range) => {
    const where = every([...equals(db, range), ...common(walk, filter)])
    return {
      text: `select seq from ${walk.table}${hint(db.dialect, walk.index)} where ${where.text} limit ${most}`,
      values: where.values,
    }
  })
  if (arms.length === 0) return 0
  const all = union(db.dialect, arms)
  const count = walk.doubles ? 'count(distinct seq)' : 'count(*)'
  const [{ n }] = await run(db, {
    text: `select ${count} as n from (select seq from (${all.text}) u limit ${most}) v`,
    values: all.values,
  })
  return Number(n)
}

export function isBefore(one: readonly number[], other: readonly number[], order: Order): boolean {
  const at = one.findIndex((value, index) => value !== other[index])
  if (at === -1) return false
  return order === 'desc' ? one[at] > other[at] : one[at] < other[at]
}

function found(rows: Record<string, unknown>[], keys: string[]): Found[] {
  return rows.map((row) => ({
    seq: Number(row.seq),
    key: keys.map((key) => Number(row[key])),
  }))
}

/** Each range's columns and values. */
function combinations(walk: Walk): [column: string, value: number][][] {
  return walk.lists.reduce<[string, number][][]>(
    (ranges, { column, values }) =>
      ranges.flatMap((range) =>
        values.map((value) => [...range, [column, value] as [string, number]])
      ),
    [[]]
  )
}

/**
 * MySQL and MariaDB take `=` as a reason to read the whole range and to skip what lies before the page; `between` leaves
 * them the order.
 */
function equals(db: Db, range: [column: string, value: number][]): Sql[] {
  return range.map(([column, value]) =>
    db.dialect === 'mysql'
      ? sql(`${column} between ? and ?`, value, value)
      : sql(`${column} = ?`, value)
  )
}

/** What every range of a walk is restricted by. */
function common(walk: Walk, filter: Filter): Sql[] {
  const parts: Sql[] = walk.extra ? [walk.extra] : []
  if (!walk.answers.includes('time')) return parts
  if (filter.from !== null) parts.push(sql('created_at >= ?', filter.from))
  if (filter.to !== null) parts.push(sql('created_at < ?', filter.to))
  return parts
}

/**
 * The conditions that together are a stretch. Where rows of values are not understood by the optimiser it is one for
 * each number of equal leading keys, so that a page far into many equal values begins where it should.
 */
function stretches(db: Db, walk: Walk, { after, until }: Stretch, order: Order): Sql[] {
  const beyond = order === 'desc' ? '<' : '>'
  const end = until ? [compared(db, walk.keys, until, order === 'desc' ? '>=' : '<=')] : []
  if (!after) return [every(end)]
  if (db.dialect !== 'mysql') return [every([compared(db, walk.keys, after, beyond), ...end])]
  return walk.keys.map((key, index) => {
    const equal = walk.keys
      .slice(0, index)
      .map((same, at) => sql(`${same} between ? and ?`, after[at], after[at]))
    return every([...equal, sql(`${key} ${beyond} ?`, after[index]), ...end])
  })
}

type Comparison = '<' | '>' | '<=' | '>='

/** A comparison of rows of values; spelled out for MySQL and MariaDB, with the bound of the first key in front. */
function compared(db: Db, keys: string[], values: number[], comparison: Comparison): Sql {
  if (keys.length === 1) return sql(`${keys[0]} ${comparison} ?`, values[0])
  if (db.dialect !== 'mysql') {
    return sql(`(${keys.join(', ')}) ${comparison} (${keys.map(() => '?').join(', ')})`, ...values)
  }
  const strict = comparison[0]
  const arms = keys.map((key, index) => {
    const equal = keys.slice(0, index).map((same, at) => sql(`${same} = ?`, values[at]))
    const last = index === keys.length - 1 ? comparison : strict
    return every([...equal, sql(`${key} ${last} ?`, values[index])])
  })
  const any = joined(
    arms.map(({ text, values: given }) => ({ text: `(${text})`, values: given })),
    ' or '
  )
  return {
    text: `${keys[0]} ${strict}= ? and (${any.text})`,
    values: [values[0], ...any.values],
  }
}
