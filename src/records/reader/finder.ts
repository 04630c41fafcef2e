import { statusCode } from '../../statuses.ts'
import type { Db } from '../dialect/db.ts'
import type { Direction, Sort } from '../job_query.ts'
import { COMPLETED_PROGRESS } from '../tables.ts'
import type { Driver, Drivers } from './driver.ts'
import { conditions, isAnyStatus, partsOf, type Filter } from './filter.ts'
import type { Limits } from './limits.ts'
import { every, sql, type Order, type Sql } from './sql.ts'
import {
  byDuration,
  byProgress,
  isBefore,
  MOST_RANGES,
  withoutDuration,
  type Found,
  type Walk,
} from './walk.ts'
import { boundary, readWalk, searchWalk } from './walking.ts'

/**
 * Jobs found in order. `stopped`: all jobs up to that key were looked at, and there the search ended for lack of time;
 * null: there are no more, or as many as were asked for.
 */
export type Part = { found: Found[]; stopped: number[] | null }

const COMPLETED = statusCode('completed')
/** Statuses in which a job may have a duration: those that end it. */
const ENDED = [statusCode('failed'), statusCode('cancelled'), COMPLETED]

/** Candidates of a piece at least: each costs two statements, however small. */
const SMALLEST = 400

/** So few that sorting them costs less than reading a range for each status. */
const HANDFUL = 300

/**
 * Finds the jobs of one filter in one sort, beginning behind a key, always by an index's own order or by sorting a few
 * thousand candidates at most, whatever the filter.
 */
export class Finder {
  #db: Db
  #limits: Limits
  #began = 0
  /** Candidates that were passed, and the slowest rate at which that went, in milliseconds a candidate. */
  #passed = 0
  #slowest = 0

  constructor(
    private filter: Filter,
    private drivers: Drivers
  ) {
    this.#db = drivers.db
    this.#limits = drivers.limits
  }

  /**
   * Up to `limit` jobs behind `after`, a key of `sort`. `back` reads the list from its end.
   */
  async find(
    sort: Sort,
    direction: Direction,
    back: boolean,
    after: number[] | null,
    limit: number
  ): Promise<Part> {
    this.#began = performance.now()
    const order: Order = back ? (direction === 'desc' ? 'asc' : 'desc') : direction
    if (sort === 'created') return this.#created(this.filter, order, after, limit)
    if (sort !== 'duration') {
      const driver = await this.drivers.choose(this.filter)
      const { few } = this.#limits
      if (driver.size === 0) return { found: [], stopped: null }
      // All of them at once: by status or progress they would be looked at once for each of its parts.
      if (driver.size <= (driver.isExact ? HANDFUL : few))
        return this.#sorted(driver, [sort, 'created_at', 'seq'], order, after, limit, [])
    }
    const segments =
      sort === 'status'
        ? this.#statusSegments(order, after)
        : sort === 'progress'
          ? this.#progressSegments(order, after)
          : this.#durationSegments(order, back, after)
    return inTurn(segments, limit)
  }

  async #created(
    filter: Filter,
    order: Order,
    after: number[] | null,
    limit: number
  ): Promise<Part> {
    const driver = await this.drivers.choose(filter)
    if (driver.size === 0) return { found: [], stopped: null }
    if (driver.isExact) {
      return whole(
        await readWalk(this.#db, driver.walk, filter, { after, until: null }, order, limit)
      )
    }
    if (driver.size <= this.#limits.few)
      return this.#sorted(driver, driver.walk.keys, order, after, limit, [])
    return this.#windows(driver.walk, driver.rest, filter, order, after, limit)
  }

  #statusSegments(order: Order, after: number[] | null): Segment[] {
    const codes = [...this.filter.statuses].sort((one, other) => one - other)
    if (order === 'desc') codes.reverse()
    return codes
      .filter((code) => !after || !isBefore([code], [after[0]], order))
      .filter((code) => this.drivers.sizes.all([code]) > 0)
      .map((code) => async (limit) => {
        const behind = after?.[0] === code ? after.slice(1) : null
        return prefixed(
          await this.#created({ ...this.filter, statuses: [code] }, order, behind, limit),
          [code]
        )
      })
  }

  /** Completed jobs have no other progress than being completed: they come by their creation. */
  #progressSegments(order: Order, after: number[] | null): Segment[] {
    const segments: Segment[] = []
    const others = this.filter.statuses.filter((code) => code !== COMPLETED)
    const isAmongCompleted = after !== null && after[0] >= COMPLETED_PROGRESS
    if (
      this.filter.statuses.includes(COMPLETED) &&
      (order === 'asc' || !after || isAmongCompleted)
    ) {
      const behind = isAmongCompleted ? after.slice(1) : null
      const filter = { ...this.filter, statuses: [COMPLETED] }
      segments.push(async (limit) =>
        prefixed(await this.#created(filter, order, behind, limit), [COMPLETED_PROGRESS])
      )
    }
    if (others.length > 0 && (order === 'desc' || !isAmongCompleted)) {
      const filter = { ...this.filter, statuses: others }
      const walk = byProgress(COMPLETED_PROGRESS)
      const behind = isAmongCompleted ? null : after
      segments.push((limit) =>
        this.#along(walk, filter, [sql(`j.progress < ${COMPLETED_PROGRESS}`)], order, behind, limit)
      )
    }
    return order === 'desc' ? segments : segments.reverse()
  }

  /** Jobs without a duration come last in both directions. */
  #durationSegments(order: Order, back: boolean, after: number[] | null): Segment[] {
    const types = onlyFew(this.filter.type)
    const isWithout = after !== null && after[0] < 0
    const segments: Segment[] = []
    const ended = this.filter.statuses.filter((code) => ENDED.includes(code))
    if (ended.length > 0 && (back || !isWithout)) {
      // The restriction costs nothing where no status was asked for: all who have a duration have ended.
      const filter = isAnyStatus(this.filter) ? this.filter : { ...this.filter, statuses: ended }
      segments.push((limit) =>
        this.#along(
          byDuration(types),
          filter,
          [sql('j.duration >= 0')],
          order,
          isWithout ? null : after,
          limit
        )
      )
    }
    if (!back || !after || isWithout) {
      segments.push(async (limit) => {
        const behind = isWithout ? after.slice(1) : null
        const walk = withoutDuration(types)
        const part = await this.#along(
          walk,
          this.filter,
          [sql('j.duration = -1')],
          order,
          behind,
          limit
        )
        return prefixed(part, [-1])
      })
    }
    return back ? segments.reverse() : segments
  }

  /** In the order of a walk that answers little of the filter. */
  async #along(
    walk: Walk,
    filter: Filter,
    segment: Sql[],
    order: Order,
    after: number[] | null,
    limit: number
  ): Promise<Part> {
    const open = partsOf(filter).filter((part) => !walk.answers.includes(part))
    // Progress excludes the completed by itself.
    const isAll = open.every((part) => part === 'status') && isWholeButCompleted(filter, walk)
    if (open.length === 0 || isAll) {
      return whole(await readWalk(this.#db, walk, filter, { after, until: null }, order, limit))
    }
    const driver = await this.drivers.choose(filter)
    if (driver.size === 0) return { found: [], stopped: null }
    if (driver.size <= this.#limits.few)
      return this.#sorted(driver, walk.keys, order, after, limit, segment)
    return this.#windows(
      walk,
      conditions(this.#db, filter, walk.answers),
      filter,
      order,
      after,
      limit
    )
  }

  /** All candidates, sorted. */
  async #sorted(
    driver: Driver,
    keys: string[],
    order: Order,
    after: number[] | null,
    limit: number,
    segment: Sql[]
  ): Promise<Part> {
    const behind = after ? [behindKey(keys, after, order)] : []
    const rest = every([driver.rest, ...segment, ...behind])
    const stretch = { after: null, until: null }
    return whole(
      await searchWalk(this.#db, driver.walk, driver.filter, stretch, rest, keys, order, limit)
    )
  }

  /**
   * A walk piece by piece: small ones first, as matches may be many, then larger ones, but none that would outlast the time
   * of the whole search as fast as pieces went until now.
   */
  async #windows(
    walk: Walk,
    rest: Sql,
    filter: Filter,
    order: Order,
    after: number[] | null,
    limit: number
  ): Promise<Part> {
    const { piece, passed, time } = this.#limits
    const found: Found[] = []
    let from = after
    for (let size = this.#affordable(limit * 8); ;) {
      const began = performance.now()
      const until = await boundary(this.#db, walk, filter, from, order, size)
      const stretch = { after: from, until, size }
      const missing = limit - found.length
      found.push(
        ...(await searchWalk(this.#db, walk, filter, stretch, rest, walk.keys, order, missing))
      )
      if (found.length >= limit || !until) return { found, stopped: null }
      from = until
      this.#passed += size
      this.#slowest = Math.max(this.#slowest, (performance.now() - began) / size)
      if (this.#passed >= passed && performance.now() - this.#began > time)
        return { found, stopped: until }
      size = this.#affordable(Math.min(size * 4, piece))
    }
  }

  /** As many candidates as the time that is left allows at the slowest rate until now. */
  #affordable(size: number): number {
    if (this.#slowest === 0) return size
    const left = this.#limits.time - (performance.now() - this.#began)
    return Math.round(Math.min(size, Math.max(SMALLEST, left / this.#slowest)))
  }
}

type Segment = (limit: number) => Promise<Part>

async function inTurn(segments: Segment[], limit: number): Promise<Part> {
  const found: Found[] = []
  for (const segment of segments) {
    const part = await segment(limit - found.length)
    found.push(...part.found)
    if (part.stopped) return { found, stopped: part.stopped }
    if (found.length >= limit) break
  }
  return { found, stopped: null }
}

function whole(found: Found[]): Part {
  return { found, stopped: null }
}

function prefixed({ found, stopped }: Part, prefix: number[]): Part {
  return {
    found: found.map(({ seq, key }) => ({ seq, key: [...prefix, ...key] })),
    stopped: stopped && [...prefix, ...stopped],
  }
}

/** Spelled out, so that no planner takes it for a range of some index. */
function behindKey(keys: string[], after: number[], order: Order): Sql {
  const beyond = order === 'desc' ? '<' : '>'
  const arms = keys.map((key, index) =>
    every([
      ...keys.slice(0, index).map((same, at) => sql(`j.${same} + 0 = ?`, after[at])),
      sql(`j.${key} + 0 ${beyond} ?`, after[index]),
    ])
  )
  return {
    text: `(${arms.map(({ text }) => `(${text})`).join(' or ')})`,
    values: arms.flatMap(({ values }) => values),
  }
}

function onlyFew(types: number[] | null): number[] | null {
  return types && types.length <= MOST_RANGES ? types : null
}

function isWholeButCompleted(filter: Filter, walk: Walk): boolean {
  return walk.keys[0] === 'progress' && filter.statuses.length === COMPLETED
}
