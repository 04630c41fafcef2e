import { STATUSES } from '../../statuses.ts'
import type { Db } from '../dialect/db.ts'
import type { JobQuery } from '../job_query.ts'
import type { Facet, FacetName, Facets } from '../reader_types.ts'
import { NAME_KINDS } from '../tables.ts'
import { matchesOf, newest } from './counting.ts'
import { Drivers } from './driver.ts'
import {
  ALL_STATUSES,
  isAnyStatus,
  NAME_COLUMNS,
  partsOf,
  resolveFilters,
  type Filter,
} from './filter.ts'
import type { Limits } from './limits.ts'
import type { NameReader } from './name_reader.ts'
import { every, hint, oneOf, run, sql, type Sql } from './sql.ts'

/** Values of one facet at most. */
const MOST = 30

/** Facets that a column of jobs tells. */
const COLUMNS = { status: 'status', ...NAME_COLUMNS }

type ColumnName = keyof typeof COLUMNS

const NAMES: FacetName[] = ['status', 'queue', 'type', 'user', 'host', 'tag']

/** Counts by number: code of the status, or number of the name. */
type Counted = { counts: Map<number, number>; sampled: boolean }

/** Matches that are looked at, and whether there are more. */
type Sample = { matches: (columns: string) => Sql; sampled: boolean }

const FIELDS = {
  queue: 'queues',
  type: 'types',
  user: 'users',
  host: 'hosts',
  tag: 'tags',
} as const

/**
 * What a query's list could be narrowed by.
 */
export async function readFacets(
  db: Db,
  names: NameReader,
  query: JobQuery,
  limits: Limits
): Promise<Facets> {
  const read = async (asked: JobQuery, which?: FacetName[]) => {
    const filters = await resolveFilters(db, names, asked)
    const facets = await new FacetReader(db, names, filters, limits).read(which)
    return { facets, isFound: filters.length > 0 }
  }
  const { facets, isFound } = await read(query)
  if (isFound) return facets
  // A name that no job has leaves nothing to count, but its own facet shows the names that there are.
  for (const [name, field] of Object.entries(FIELDS) as [keyof typeof FIELDS, ListField][]) {
    if (query[field].length === 0) continue
    const others = await read(query.with({ [field]: [] }), [name])
    facets[name] = others.facets[name]
  }
  return facets
}

type ListField = (typeof FIELDS)[keyof typeof FIELDS]

/**
 * What a list could be narrowed by. A facet leaves its own filter out, so that other values of it can be picked. Exact from
 * counters where the filter is one name and statuses, else counted among the newest candidates.
 */
class FacetReader {
  #drivers: Promise<Drivers>
  /** Candidates of one facet. */
  #size: number
  /** A sample serves all facets that the filter does not name. */
  #samples = new Map<string, Promise<Sample>>()
  #shared: Promise<Record<ColumnName, Map<number, number>>> | undefined

  constructor(
    private db: Db,
    private names: NameReader,
    private filters: readonly Filter[],
    limits: Limits
  ) {
    this.#drivers = Drivers.load(db, filters, limits)
    const own = NAMES.filter((name) => filters.some((filter) => isNamed(filter, name))).length
    // Facets that the filter names have samples of their own, the others share one; together they are limited.
    this.#size = Math.floor(limits.sampled / (own + 1))
  }

  async read(which: readonly FacetName[] = NAMES): Promise<Facets> {
    const facets = {} as Facets
    for (const name of which) facets[name] = await this.#facet(name)
    return facets
  }

  async #facet(name: FacetName): Promise<Facet> {
    const others = this.filters.map((filter) => without(filter, name))
    const { counts, sampled } =
      (await this.#exact(name, others)) ?? (await this.#sampled(name, others))
    const most = [...counts]
      .filter(([, count]) => count > 0)
      .sort((one, other) => other[1] - one[1] || one[0] - other[0])
      .slice(0, MOST)
    if (name !== 'status') await this.names.load(most.map(([id]) => id))
    const values = most.map(([id, count]) => ({
      name: name === 'status' ? STATUSES[id] : this.names.text(id),
      count,
    }))
    return { values, sampled }
  }

  async #exact(name: FacetName, others: Filter[]): Promise<Counted | null> {
    if (others.length !== 1)
      return others.length === 0 ? { counts: new Map(), sampled: false } : null
    const [filter] = others
    const parts = partsOf(filter).filter((part) => part !== 'status')
    if (name === 'status') {
      const where = parts.length === 0 ? sql('kind = 0') : onlyName(filter, parts)
      return where && this.#counted('status', where)
    }
    if (parts.length > 0) return null
    const statuses = isAnyStatus(filter) ? [] : [oneOf('status', filter.statuses)]
    return this.#counted('name_id', every([sql('kind = ?', NAME_KINDS[name]), ...statuses]))
  }

  async #counted(column: string, where: Sql): Promise<Counted> {
    const rows = await run(this.db, {
      text: `select ${column} as value, sum(n) as n from queuedeck_counters where ${where.text} group by ${column} order by n desc limit ${MOST}`,
      values: where.values,
    })
    const counts = new Map(rows.map(({ value, n }) => [Number(value), Number(n)]))
    return { counts, sampled: false }
  }

  async #sampled(name: FacetName, others: Filter[]): Promise<Counted> {
    const samples = await Promise.all(others.map((filter) => this.#sample(filter)))
    const sampled = samples.some((sample) => sample.sampled)
    if (name === 'tag') return { counts: await this.#tags(samples), sampled }
    if (!this.filters.some((filter) => isNamed(filter, name))) {
      this.#shared ??= this.#columns(samples)
      return { counts: (await this.#shared)[name], sampled }
    }
    const column = COLUMNS[name]
    const counts = new Map<number, number>()
    for (const { matches } of samples) {
      const { text, values } = matches(`j.${column} as value`)
      const rows = await run(this.db, {
        text: `select value, count(*) as n from (${text}) m group by value`,
        values,
      })
      for (const { value, n } of rows) add(counts, value, Number(n))
    }
    return { counts, sampled }
  }

  #sample(filter: Filter): Promise<Sample> {
    const key = JSON.stringify(filter)
    let sample = this.#samples.get(key)
    if (!sample) this.#samples.set(key, (sample = this.#newSample(filter)))
    return sample
  }

  async #newSample(filter: Filter): Promise<Sample> {
    const drivers = await this.#drivers
    const driver = await drivers.choose(filter)
    const stretch = await newest(drivers, driver, this.#size, this.#size)
    return {
      matches: (columns) => matchesOf(this.db, driver, stretch, columns),
      sampled: stretch.until !== null,
    }
  }

  /** All facets of the whole filter at once, but tags. */
  async #columns(samples: Sample[]): Promise<Record<ColumnName, Map<number, number>>> {
    const names = Object.entries(COLUMNS) as [ColumnName, string][]
    const counts = Object.fromEntries(names.map(([name]) => [name, new Map()])) as Record<
      ColumnName,
      Map<number, number>
    >
    const columns = Object.values(COLUMNS).map((column) => `j.${column}`)
    for (const { matches } of samples)
      for (const row of await run(this.db, matches(columns.join(', '))))
        for (const [name, column] of names) add(counts[name], row[column])
    return counts
  }

  async #tags(samples: Sample[]): Promise<Map<number, number>> {
    const counts = new Map<number, number>()
    for (const { matches } of samples) {
      const { text, values } = matches('j.seq, j.tagged')
      const join = this.db.dialect === 'mysql' ? 'straight_join' : 'cross join'
      const rows = await run(this.db, {
        text: `select t.tag_id as tag, count(*) as n from (${text}) m ${join} queuedeck_tags t${hint(this.db.dialect, 'queuedeck_tags_seq')} ${this.db.dialect === 'mysql' ? 'on' : 'where'} t.seq = m.seq and m.tagged = 1 group by t.tag_id`,
        values,
      })
      for (const { tag, n } of rows) add(counts, tag, Number(n))
    }
    return counts
  }
}

function add(counts: Map<number, number>, value: number | null, n = 1): void {
  if (value !== null) counts.set(value, (counts.get(value) ?? 0) + n)
}

function isNamed(filter: Filter, name: FacetName): boolean {
  return name === 'status' ? !isAnyStatus(filter) : filter[name] !== null
}

function without(filter: Filter, name: FacetName): Filter {
  return name === 'status'
    ? { ...filter, statuses: [...ALL_STATUSES] }
    : { ...filter, [name]: null }
}

/** The counters of the one name that a filter gives; null where it is more than that. */
function onlyName(filter: Filter, parts: string[]): Sql | null {
  const [part] = parts
  if (parts.length !== 1 || part === 'time' || part === 'ids') return null
  const field = part as Exclude<FacetName, 'status'>
  const ids = filter[field]!
  if (field === 'tag' && ids.length > 1) return null
  return every([sql('kind = ?', NAME_KINDS[field]), oneOf('name_id', ids)])
}
