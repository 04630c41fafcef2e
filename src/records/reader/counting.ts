import type { Db } from '../dialect/db.ts'
import type { Count } from '../reader_types.ts'
import type { Driver, Drivers } from './driver.ts'
import { idCondition, isAnyStatus, partsOf, type Filter } from './filter.ts'
import { every, oneOf, run, type Sql } from './sql.ts'
import type { Sizes } from './sizes.ts'
import { byIds, type Stretch } from './walk.ts'
import { boundary, candidatesOf, countWalk } from './walking.ts'

/**
 * How many jobs a filter finds: exact from the counters where these know it, else counted up to a limit, and then said so.
 */
export async function countJobs(drivers: Drivers, filter: Filter): Promise<Count> {
  const { db, sizes, limits } = drivers
  const known = await fromCounters(db, filter, sizes)
  if (known !== null) return { value: known, capped: false }
  const { exact } = limits
  if (partsOf(filter).join() === 'ids' && filter.ids && !filter.notUsers) {
    const walk = byIds(idCondition(db, filter.ids, 'id'))
    return capped(await countWalk(db, walk, filter, exact + 1), exact)
  }
  const driver = await drivers.choose(filter)
  if (driver.size === 0) return { value: 0, capped: false }
  if (driver.isExact) return capped(await countWalk(db, driver.walk, filter, exact + 1), exact)
  const stretch = await newest(drivers, driver, limits.few, limits.counted)
  const matches = matchesOf(db, driver, stretch)
  const [{ n }] = await run(db, {
    text: `select count(*) as n from (${matches.text}) m`,
    values: matches.values,
  })
  const { value, capped: isMore } = capped(Number(n), exact)
  return { value, capped: isMore || stretch.until !== null }
}

function capped(value: number, most: number): Count {
  return { value: Math.min(value, most), capped: value > most }
}

/** The whole of a driver's way where it is not longer than `most`, else its newest part of about `size`. */
export async function newest(
  { db }: Drivers,
  { walk, filter, size: all }: Driver,
  most: number,
  size: number
): Promise<Stretch> {
  if (all <= most) return { after: null, until: null }
  return { after: null, until: await boundary(db, walk, filter, null, 'desc', size), size }
}

/** Jobs of a stretch that satisfy the driver's filter, as a select of `j`'s columns. */
export function matchesOf(
  db: Db,
  { walk, filter, rest }: Driver,
  stretch: Stretch,
  columns = 'j.seq'
): Sql {
  const candidates = candidatesOf(db, walk, filter, stretch, 'desc')
  return {
    text: `select ${columns} from (${candidates.text}) j where ${rest.text}`,
    values: [...candidates.values, ...rest.values],
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
