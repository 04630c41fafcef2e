import { STATUSES, statusCode } from '../statuses.ts'
import type { JobDetails, JobView } from '../types.ts'
import type { Db } from './dialect/db.ts'
import { cursorOf } from './eraser/eraser.ts'
import { isUuid } from './ids.ts'
import type { JobQuery } from './job_query.ts'
import { encodeCursor } from './query/cursor.ts'
import type {
  Body,
  Count,
  Facets,
  Histogram,
  JobPage,
  LogPage,
  NameKind,
  StatusCounts,
} from './reader_types.ts'
import { countJobs } from './reader/counting.ts'
import { readBody, readDetails, readLogs, type LogOptions } from './reader/details.ts'
import { EdgeReader } from './reader/edges.ts'
import { readFacets } from './reader/facets.ts'
import { NO_FILTER, resolveFilters, type Filter } from './reader/filter.ts'
import { Drivers } from './reader/driver.ts'
import { Finder, type Part } from './reader/finder.ts'
import { readHistogram, type HistogramRange } from './reader/histogram.ts'
import { limitsOf, type Limits } from './reader/limits.ts'
import { NameReader } from './reader/name_reader.ts'
import { readBySeq, readJobs } from './reader/rows.ts'
import { compareKeys, idValue, type Order } from './reader/sql.ts'
import { Sizes } from './reader/sizes.ts'
import { byCreated, byStatus } from './reader/walk.ts'
import { readWalk } from './reader/walking.ts'
import { inParts } from '../in_parts.ts'

const RUNNING = statusCode('running')

/** Completed jobs that a type's 95th percentile is taken from, and how long (milliseconds) it is kept. */
const P95_JOBS = 200
const P95_KEPT = 60_000

/**
 * Answers what pages, JSON and commands ask of the records. Every list is served by an index in its own order or by sorting a
 * few thousand candidates, whatever was filtered and sorted by; nothing is remembered but names and percentiles.
 *
 * All methods throw E_DATABASE_UNAVAILABLE while the database is away.
 */
export class Reader {
  /** What waits for what. */
  readonly edges: EdgeReader

  #names: NameReader
  #p95 = new Map<string, { value: number | null; until: number }>()

  constructor(
    private db: Db,
    private limits: Limits = limitsOf(db.dialect)
  ) {
    this.#names = new NameReader(db)
    this.edges = new EdgeReader(db)
  }

  /**
   * One job with attempts, events and runs; null for an id that no record has.
   */
  find(id: string): Promise<JobDetails | null> {
    return readDetails(this.db, this.#names, id)
  }

  /** How far the mirror is with a queue; null when it has not begun. */
  cursor(queue: string): ReturnType<typeof cursorOf> {
    return cursorOf(this.db, queue)
  }

  /**
   * One page of a list. Where a rare match is sought among many candidates the search stops after a while: `bounded` says so,
   * the page may then be short or empty, and `next` goes on exactly where it stopped.
   */
  async page(query: JobQuery): Promise<JobPage> {
    const filters = await resolveFilters(this.db, this.#names, query)
    const drivers = await Drivers.load(this.db, filters, this.limits)
    const { position, sort, direction, limit } = query
    const back = position?.back ?? false
    const part = await this.#find(filters, drivers, query)
    const hasMore = part.found.length > limit
    const found = part.found.slice(0, limit)
    const ahead = hasMore ? found.at(-1)!.key : part.stopped
    if (back) found.reverse()
    const behind = position && (found.at(back ? -1 : 0)?.key ?? position.key)
    const cursor = (key: number[] | null, towards: boolean) =>
      key && encodeCursor(sort, direction, { back: towards, key })
    const [jobs, count] = await Promise.all([
      readBySeq(
        this.db,
        this.#names,
        found.map(({ seq }) => seq)
      ),
      !position && !ahead ? { value: found.length, capped: false } : this.#count(filters, drivers),
    ])
    // What a page shows is there, however far the count was taken.
    if (count.capped) count.value = Math.max(count.value, part.found.length)
    return {
      rows: jobs.map(({ view }) => view),
      next: cursor(back ? behind : ahead, false),
      previous: cursor(back ? ahead : behind, true),
      count,
      bounded: part.stopped !== null && !hasMore,
    }
  }

  /**
   * Jobs by id, in the order of `ids`; unknown ids are left out.
   */
  async rowsById(ids: readonly string[]): Promise<JobView[]> {
    const known = [...new Set(ids.filter(isUuid))]
    const jobs = new Map<string, JobView>()
    for (const some of inParts(known, 500)) {
      const marks = some.map(() => '?').join(', ')
      const values = some.map((id) => idValue(this.db.dialect, id))
      for (const { view } of await readJobs(this.db, this.#names, `id in (${marks})`, values)) {
        jobs.set(view.id, view)
      }
    }
    return ids.map((id) => jobs.get(id)).filter((job) => job !== undefined)
  }

  /**
   * Ids of the jobs beside one in the list of all jobs by creation: the next newer and the next older, null where there is none.
   */
  async neighbours(id: string): Promise<{ newer: string | null; older: string | null }> {
    const from = 'select created_at, seq from queuedeck_jobs where id = ?'
    const [row] = isUuid(id) ? await this.db.all(from, [idValue(this.db.dialect, id)]) : []
    if (!row) return { newer: null, older: null }
    const stretch = { after: [Number(row.created_at), Number(row.seq)], until: null }
    const beside = async (order: Order) => {
      const found = await readWalk(this.db, byCreated(), NO_FILTER, stretch, order, 1)
      const [job] = await readBySeq(
        this.db,
        this.#names,
        found.map(({ seq }) => seq)
      )
      return job?.view.id ?? null
    }
    const [newer, older] = await Promise.all([beside('asc'), beside('desc')])
    return { newer, older }
  }

  /**
   * How many jobs a query finds, whatever its page.
   */
  async count(query: JobQuery): Promise<Count> {
    const filters = await resolveFilters(this.db, this.#names, query)
    return this.#count(filters, await Drivers.load(this.db, filters, this.limits))
  }

  /**
   * All jobs by status, from counters.
   */
  async counts(): Promise<StatusCounts> {
    const sizes = await Sizes.load(this.db, [])
    return Object.fromEntries(
      STATUSES.map((status, code) => [status, sizes.all([code])])
    ) as StatusCounts
  }

  /**
   * What the query's list could be narrowed by.
   */
  facets(query: JobQuery): Promise<Facets> {
    return readFacets(this.db, this.#names, query, this.limits)
  }

  /**
   * The query's jobs by moment of creation, over a range of its own.
   */
  async histogram(query: JobQuery, range: HistogramRange): Promise<Histogram> {
    return readHistogram(
      this.db,
      await resolveFilters(this.db, this.#names, query),
      range,
      this.limits
    )
  }

  /**
   * Log lines of a job, oldest first; none for an unknown one.
   */
  logs(id: string, options: LogOptions = {}): Promise<LogPage> {
    return readLogs(this.db, id, options)
  }

  /**
   * Payload, options and result, as the transport had them; null for an id that no record has.
   */
  body(id: string): Promise<Body | null> {
    return readBody(this.db, id)
  }

  /**
   * The newest jobs that run now.
   */
  async runningNow(limit: number): Promise<JobView[]> {
    const stretch = { after: null, until: null }
    const found = await readWalk(this.db, byStatus([RUNNING]), NO_FILTER, stretch, 'desc', limit)
    const jobs = await readBySeq(
      this.db,
      this.#names,
      found.map(({ seq }) => seq)
    )
    return jobs.map(({ view }) => view)
  }

  /**
   * Names that begin with a text, without case.
   */
  names(kind: NameKind, prefix: string, limit: number): Promise<string[]> {
    return this.#names.complete(kind, prefix, Math.max(1, Math.min(1000, Math.floor(limit))))
  }

  /** Names of every queue that a recorded job was in. */
  queueNames(): Promise<string[]> {
    return this.#names.all('queue')
  }

  /**
   * Duration (milliseconds) that 95 of 100 of the newest completed jobs of a type stay under; types without any are absent.
   * Kept for a minute.
   */
  async p95(types: readonly string[]): Promise<Record<string, number>> {
    const now = performance.now()
    const values: [string, number][] = []
    for (const type of new Set(types)) {
      let kept = this.#p95.get(type)
      if (!kept || kept.until < now) {
        kept = { value: await this.#readP95(type), until: now + P95_KEPT }
        if (this.#p95.size > 1000) this.#p95.clear()
        this.#p95.set(type, kept)
      }
      if (kept.value !== null) values.push([type, kept.value])
    }
    return Object.fromEntries(values)
  }

  async #readP95(type: string): Promise<number | null> {
    const rows = await this.db.all(
      `select duration from queuedeck_jobs where status = ? and duration >= 0 and type_id = (select id from queuedeck_names where kind = 1 and name = ?) order by created_at desc limit ${P95_JOBS}`,
      [statusCode('completed'), type]
    )
    const durations = rows.map(({ duration }) => Number(duration)).sort((one, other) => one - other)
    return durations.length === 0 ? null : durations[Math.ceil(durations.length * 0.95) - 1]
  }

  /** One more than the page holds, so that it is known whether there are others. */
  async #find(filters: Filter[], drivers: Drivers, query: JobQuery): Promise<Part> {
    const { sort, direction, position, limit } = query
    const back = position?.back ?? false
    const parts = await Promise.all(
      filters.map((filter) =>
        new Finder(filter, drivers).find(sort, direction, back, position?.key ?? null, limit + 1)
      )
    )
    if (parts.length === 1) return parts[0]
    const order: Order = back ? (direction === 'desc' ? 'asc' : 'desc') : direction
    return merged(parts, listOrder(sort === 'duration', order, back), limit + 1)
  }

  async #count(filters: Filter[], drivers: Drivers): Promise<Count> {
    const counts = await Promise.all(filters.map((filter) => countJobs(drivers, filter)))
    return {
      value: counts.reduce((sum, { value }) => sum + value, 0),
      capped: counts.some(({ capped }) => capped),
    }
  }
}

type Compare = (one: readonly number[], other: readonly number[]) => number

/** Jobs without a duration come last, or first when the list is read from its end. */
function listOrder(byDuration: boolean, order: Order, back: boolean): Compare {
  return (one, other) => {
    const without = byDuration ? Number(one[0] < 0) - Number(other[0] < 0) : 0
    if (without !== 0) return back ? -without : without
    return order === 'desc' ? -compareKeys(one, other) : compareKeys(one, other)
  }
}

/** What several filters found, as one list; behind the place where the first of them stopped nothing is known. */
function merged(parts: Part[], compare: Compare, limit: number): Part {
  const stops = parts.map(({ stopped }) => stopped).filter((stopped) => stopped !== null)
  const stopped = stops.length === 0 ? null : stops.sort(compare)[0]
  const found = parts
    .flatMap((part) => part.found)
    .sort((one, other) => compare(one.key, other.key))
    .filter(({ key }) => stopped === null || compare(key, stopped) <= 0)
    .slice(0, limit)
  return { found, stopped: found.length >= limit ? null : stopped }
}
