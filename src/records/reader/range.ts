import type { Db } from '../dialect/db.ts'
import type { DialectName } from '../dialect/names.ts'
import type { Filter } from './filter.ts'
import { every, joined, oneOf, sql, type Order, type Sql } from './sql.ts'
import type { Stretch, Walk } from './walk.ts'

/** One end of a range: a key, or the beginning of one. */
type Bound = { key: number[]; isIncluded: boolean }

/** The ends of what is read of a walk, however it is read. */
type Bounds = { lower: Bound | null; upper: Bound | null }

/** Columns and values of one of the ranges that a walk consists of. */
export type Range = [column: string, value: number][]

export function rangesOf(walk: Walk): Range[] {
  return walk.lists.reduce<Range[]>(
    (ranges, { column, values }) =>
      ranges.flatMap((range) => values.map((value): Range => [...range, [column, value]])),
    [[]]
  )
}

/** The condition of one range. */
export function conditionOf(
  db: Db,
  walk: Walk,
  range: Range,
  filter: Filter,
  stretch: Stretch,
  order: Order
): Sql {
  const bounds = boundsOf(walk, filter, stretch, order)
  const extra = walk.extra ? [walk.extra] : []
  return every([
    ...range.map(([column, value]) => equals(db.dialect, column, value)),
    ...extra,
    ...(db.dialect === 'mysql' ? allSpelled(walk, bounds) : compared(walk, bounds)),
  ])
}

/**
 * The same where few jobs are wanted. Optimisers that do not understand rows of values get one condition for each number of
 * equal leading keys, so that a page far into many equal values begins where it should; together they are the range.
 */
export function conditionsOf(
  db: Db,
  walk: Walk,
  range: Range,
  filter: Filter,
  stretch: Stretch,
  order: Order
): Sql[] {
  if (db.dialect !== 'mysql') return [conditionOf(db, walk, range, filter, stretch, order)]
  const bounds = boundsOf(walk, filter, stretch, order)
  const equal = range.map(([column, value]) => equals(db.dialect, column, value))
  const extra = walk.extra ? [walk.extra] : []
  return spelled(walk, bounds, order).map((part) => every([...equal, ...extra, ...part]))
}

/**
 * The conditions of all ranges in one, for reading them in any order.
 */
export function conditionOfAll(
  db: Db,
  walk: Walk,
  filter: Filter,
  stretch: Stretch,
  order: Order
): Sql {
  const bounds = boundsOf(walk, filter, stretch, order)
  return every([
    ...walk.lists.map(({ column, values }) => oneOf(column, values)),
    ...(walk.extra ? [walk.extra] : []),
    ...(db.dialect === 'mysql' ? allSpelled(walk, bounds) : compared(walk, bounds)),
  ])
}

/** Of a filter's time and a place on the walk only the nearer counts: two bounds of one column confuse every optimiser. */
function boundsOf(walk: Walk, filter: Filter, { after, until }: Stretch, order: Order): Bounds {
  const behind = after && { key: after, isIncluded: false }
  const end = until && { key: until, isIncluded: true }
  let [lower, upper] = order === 'desc' ? [end, behind] : [behind, end]
  if (walk.answers.includes('time')) {
    const { from, to } = filter
    if (from !== null && (!lower || lower.key[0] < from)) lower = { key: [from], isIncluded: true }
    if (to !== null && (!upper || upper.key[0] >= to)) upper = { key: [to], isIncluded: false }
  }
  const { least } = walk
  if (least !== null && (!lower || lower.key[0] < least)) lower = { key: [least], isIncluded: true }
  return { lower, upper }
}

function compared({ keys }: Walk, { lower, upper }: Bounds): Sql[] {
  const end = (bound: Bound | null, sign: '<' | '>') =>
    bound
      ? [rows(keys.slice(0, bound.key.length), `${sign}${bound.isIncluded ? '=' : ''}`, bound.key)]
      : []
  return [...end(lower, '>'), ...end(upper, '<')]
}

function rows(names: string[], comparison: string, values: number[]): Sql {
  if (names.length === 1) return sql(`${names[0]} ${comparison} ?`, values[0])
  const marks = names.map(() => '?').join(', ')
  return sql(`(${names.join(', ')}) ${comparison} (${marks})`, ...values)
}

/**
 * MySQL and MariaDB take `=` as a reason to read the whole range and to skip what lies before the page; `between` leaves
 * them the order.
 */
function equals(dialect: DialectName, column: string, value: number): Sql {
  return dialect === 'mysql'
    ? sql(`${column} between ? and ?`, value, value)
    : sql(`${column} = ?`, value)
}

/** The end that reading begins at is split, the other one is a condition. */
function spelled(walk: Walk, { lower, upper }: Bounds, order: Order): Sql[][] {
  const [begin, end, sign] =
    order === 'desc' ? ([upper, lower, '<'] as const) : ([lower, upper, '>'] as const)
  const rest = end ? [spelledOut(walk, end, sign === '<' ? '>' : '<')] : []
  if (!begin) return [rest]
  return alternatives(walk, begin, sign, 'between').map((part) => [part, ...rest])
}

function allSpelled(walk: Walk, { lower, upper }: Bounds): Sql[] {
  return [
    ...(lower ? [spelledOut(walk, lower, '>')] : []),
    ...(upper ? [spelledOut(walk, upper, '<')] : []),
  ]
}

/** A comparison of rows of values in single ones, with the bound of the first key in front. */
function spelledOut(walk: Walk, bound: Bound, sign: '<' | '>'): Sql {
  const [first] = walk.keys
  if (bound.key.length === 1)
    return sql(`${first} ${sign}${bound.isIncluded ? '=' : ''} ?`, bound.key[0])
  const any = joined(
    alternatives(walk, bound, sign, '=').map(({ text, values }) => ({ text: `(${text})`, values })),
    ' or '
  )
  return { text: `${first} ${sign}= ? and (${any.text})`, values: [bound.key[0], ...any.values] }
}

function alternatives(walk: Walk, bound: Bound, sign: '<' | '>', equal: '=' | 'between'): Sql[] {
  const { key, isIncluded } = bound
  return key.map((value, index) => {
    const same = key
      .slice(0, index)
      .map((other, at) =>
        equal === '='
          ? sql(`${walk.keys[at]} = ?`, other)
          : sql(`${walk.keys[at]} between ? and ?`, other, other)
      )
    const last = isIncluded && index === key.length - 1 ? `${sign}=` : sign
    return every([...same, sql(`${walk.keys[index]} ${last} ?`, value)])
  })
}
