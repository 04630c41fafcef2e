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
import { Sizes } from './sizes.ts'
import {
  byCreated,
  byIds,
  byName,
  byStatus,
  byTag,
  MOST_RANGES,
  widthOf,
  type Walk,
} from './walk.ts'
import { countWalk } from './walking.ts'

/**
 * The way to a filter's jobs that passes the fewest others, in the order of creation.
 */
export type Driver = {
  filter: Filter
  walk: Walk
  /** Jobs on that way: exact up to `limits.few`, else an estimate from above. */
  size: number
  /** What remains to be checked of each job on the way. */
  rest: Sql
  /** The way passes no others. */
  isExact: boolean
}

type Way = { walk: Walk; size: number }

/** So few that sorting them costs less than asking whether there is a shorter way. */
const HANDFUL = 300

/**
 * Chooses the drivers of one question's filters: by the counters, and where these leave many, by looking how many lie in the
 * range of time or of ids. What was looked up once serves all parts of the question.
 */
export class Drivers {
  #chosen = new Map<string, Promise<Driver>>()
  #counted = new Map<string, Promise<number>>()

  private constructor(
    readonly db: Db,
    readonly sizes: Sizes,
    readonly limits: Limits
  ) {}

  static async load(db: Db, filters: readonly Filter[], limits: Limits): Promise<Drivers> {
    return new Drivers(db, await Sizes.load(db, filters), limits)
  }

  choose(filter: Filter): Promise<Driver> {
    const key = JSON.stringify(filter)
    let driver = this.#chosen.get(key)
    if (!driver) this.#chosen.set(key, (driver = this.#choose(filter)))
    return driver
  }

  async #choose(filter: Filter): Promise<Driver> {
    const { few } = this.limits
    let best = this.#byCounters(filter)
    if (best.size > HANDFUL && filter.ids) {
      const walk = byIds(idCondition(this.db, filter.ids, 'id'))
      const size = await this.#count(walk, filter)
      if (size <= few && size < best.size)
        return { filter, walk, size, rest: conditions(this.db, filter), isExact: false }
    }
    const isTimed = filter.from !== null || filter.to !== null
    if (best.size > few && isTimed) best = await this.#withinTime(filter, best)
    // Too many ranges to be merged: only good while their jobs are few enough to be sorted.
    if (best.size > few && widthOf(best.walk) > MOST_RANGES)
      best = { walk: byCreated(), size: this.sizes.all(filter.statuses) }
    const open = partsOf(filter).filter((part) => !best.walk.answers.includes(part))
    return {
      ...best,
      filter,
      rest: conditions(this.db, filter, best.walk.answers),
      isExact: open.length === 0 && widthOf(best.walk) <= MOST_RANGES,
    }
  }

  #byCounters(filter: Filter): Way {
    const { statuses } = filter
    const ways: Way[] = []
    for (const field of [...NAME_FIELDS, 'tag'] as const) {
      const ids = filter[field]
      if (!ids) continue
      // Statuses that nobody is in would be ranges for nothing.
      const taken = statuses.filter((status) => this.sizes.named(field, ids, [status]) > 0)
      ways.push({
        walk: field === 'tag' ? byTag(ids, taken) : byName(field, ids, taken),
        size: this.sizes.named(field, ids, taken),
      })
    }
    if (ways.length === 0 && !isAnyStatus(filter))
      ways.push({ walk: byStatus(statuses), size: this.sizes.all(statuses) })
    const all = { walk: byCreated(), size: this.sizes.all(statuses) }
    return ways.length === 0 ? all : ways.reduce((one, two) => (two.size < one.size ? two : one))
  }

  async #withinTime(filter: Filter, best: Way): Promise<Way> {
    const { few } = this.limits
    const created = byCreated()
    const inTime = await this.#count(created, filter)
    if (inTime <= few) return { walk: created, size: inTime }
    if (widthOf(best.walk) > MOST_RANGES) return best
    const size = await countWalk(this.db, best.walk, filter, few + 1)
    return size <= few ? { walk: best.walk, size } : best
  }

  /** Of time or ids alone, which are the same for all statuses. */
  #count(walk: Walk, filter: Filter): Promise<number> {
    const key = JSON.stringify([walk.index, filter.from, filter.to, filter.ids])
    let count = this.#counted.get(key)
    if (!count) {
      count = countWalk(this.db, walk, filter, this.limits.few + 1)
      this.#counted.set(key, count)
    }
    return count
  }
}
