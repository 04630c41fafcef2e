import type { Db } from '../dialect/db.ts'
import type { Count } from '../reader_types.ts'
import { chooseDriver, type Driver } from './driver.ts'
import { idCondition, isAnyStatus, partsOf, type Filter } from './filter.ts'
import { every, oneOf, run, type Sql } from './sql.ts'
import type { Limits } from './limits.ts'
import type { Sizes } from './sizes.ts'
import { boundary, byIds, candidatesOf, countWalk, type Stretch } from './walk.ts'

/**
 * How many jobs a filter finds: exact from the counters where these know it, else counted up to a limit, and then said so.
 */
export async function countJobs(
  db: Db,
  filter: Filter,
  sizes: Sizes,
  limits: Limits
): Promise<Count> {
  const known = await fromCounters(db, filter, sizes)
  if (known !== null) return { value: known, capped: false }
  const { few } = limits
  if (partsOf(filter).join() === 'ids' && filter.ids && !filter.notUsers) {
    const walk = byIds(idCondition(db, filter.ids, 'id'))
    const value = await countWalk(db, walk, filter, few + 1)
    return { value: Math.min(value, few), capped: value > few }
  }
  const driver = await chooseDriver(db, filter, sizes, limits)
  if (driver.size === 0) return { value: 0, capped: false }
  if (driver.isExact) {
    const value = await countWalk(db, driver.walk, filter, few + 1)
    return { value: Math.min(value, few), capped: value > few }
  }
  const stretch = await newest(db, driver, filter, limits, limits.counted)
  const matches = matchesOf(db, driver, filter, stretch)
  const [{ n }] = await run(db, {
    text: `select count(*) as n from (${matches.text}) m`,
    values: matches.values,
  })
  const value = Number(n)
  return { value: Math.min(value, few), capped: stretch.until !== null || value > few }
}

/** The whole of a driver's way while it is short, else its newest part of about `size`. */
export async function newest(
  db: Db,
  driver: Driver,
  filter: Filter,
  { few }: Limits,
  size = few
): Promise<Stretch> {
  if (driver.size <= few) return { after: null, until: null }
  return { after: null, until: await boundary(db, driver.walk, filter, null, 'desc', size) }
}

/** Jobs of a stretch that satisfy the filter, as a select of `j`'s columns. */
export function matchesOf(
  db: Db,
  driver: Driver,
  filter: Filter,
  stretch: Stretch,
  columns = 'j.seq'
): Sql {
  const candidates = candidatesOf(db, driver.walk, filter, stretch, 'desc')
  return {
    text: `select ${columns} from (${candidates.text}) j where ${driver.rest.text}`,
    values: [...candidates.values, ...driver.rest.values],
  }
}

async function fromCounters(db: Db, filter: Filter, sizes: Sizes): Promise<number | null> {
  const parts = partsOf(filter).filter((part) => part !== 'status')
  const { statuses, type, queue } = filter
  if (parts.length === 0) return sizes.all(statuses)
  const [part] = parts
  if (parts.length === 1 && part !== 'time' && part !== 'ids') {
    const ids = filter[part as Exclude<typeof part, 'status'>]!
    // A job with two of the tags would count twice.
    if (part !== 'tag' || ids.length === 1) return sizes.named(part as 'tag', ids, statuses)
  }
  if (parts.length === 2 && type && queue) {
    const status = isAnyStatus(filter) ? [] : [oneOf('status', statuses)]
    const where = every([oneOf('type_id', type), oneOf('queue_id', queue), ...status])
    const [{ n }] = await run(db, {
      text: `select coalesce(sum(n), 0) as n from queuedeck_cube where ${where.text}`,
      values: where.values,
    })
    return Number(n)
  }
  return null
}
