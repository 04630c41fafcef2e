import type { Db } from '../dialect/db.ts'
import {
  conditions,
  idCondition,
  isAnyStatus,
  NAME_FIELDS,
  partsOf,
  type Filter,
} from './filter.ts'
import type { Sql } from './sql.ts'
import type { Limits } from './limits.ts'
import type { Sizes } from './sizes.ts'
import {
  byCreated,
  byIds,
  byName,
  byStatus,
  byTag,
  countWalk,
  MOST_RANGES,
  rangesOf,
  type Walk,
} from './walk.ts'

/**
 * The way to a filter's jobs that passes the fewest others, in the order of creation.
 */
export type Driver = {
  walk: Walk
  /** Jobs on that way: exact up to `limits.few`, else an estimate from above. */
  size: number
  /** What remains to be checked of each job on the way. */
  rest: Sql
  /** The way passes no others. */
  isExact: boolean
}

/**
 * Chooses the driver of a filter: by the counters, and where that leaves many, by looking how many lie in the range of time.
 */
export async function chooseDriver(
  db: Db,
  filter: Filter,
  sizes: Sizes,
  { few }: Limits
): Promise<Driver> {
  const { statuses } = filter
  const ways: { walk: Walk; size: number }[] = []
  for (const field of NAME_FIELDS) {
    const ids = filter[field]
    if (ids)
      ways.push({ walk: byName(field, ids, statuses), size: sizes.named(field, ids, statuses) })
  }
  if (filter.tag)
    ways.push({ walk: byTag(filter.tag, statuses), size: sizes.named('tag', filter.tag, statuses) })
  if (ways.length === 0 && !isAnyStatus(filter))
    ways.push({ walk: byStatus(statuses), size: sizes.all(statuses) })
  let best = ways.reduce((one, other) => (other.size < one.size ? other : one), {
    walk: byCreated(),
    size: Infinity,
  })
  if (best.size === Infinity) best.size = sizes.all(statuses)
  if (best.size > few && filter.ids) {
    const walk = byIds(idCondition(db, filter.ids, 'id'))
    const size = await countWalk(db, walk, filter, few + 1)
    if (size <= few) return { walk, size, rest: conditions(db, filter), isExact: false }
  }
  const isTimed = filter.from !== null || filter.to !== null
  if (best.size > few && isTimed) best = await withinTime(db, filter, best, few)
  // Too many ranges to be merged: only good while their jobs are few enough to be sorted.
  if (best.size > few && rangesOf(best.walk) > MOST_RANGES)
    best = { walk: byCreated(), size: sizes.all(statuses) }
  const open = partsOf(filter).filter((part) => !best.walk.answers.includes(part))
  return {
    ...best,
    rest: conditions(db, filter, best.walk.answers),
    isExact: open.length === 0 && rangesOf(best.walk) <= MOST_RANGES,
  }
}

async function withinTime(db: Db, filter: Filter, best: { walk: Walk; size: number }, few: number) {
  const created = byCreated()
  const inTime = await countWalk(db, created, filter, few + 1)
  if (inTime <= few) return { walk: created, size: inTime }
  if (rangesOf(best.walk) > MOST_RANGES) return best
  const size = await countWalk(db, best.walk, filter, few + 1)
  return size <= few ? { walk: best.walk, size } : best
}
