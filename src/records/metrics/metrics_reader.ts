import type { Db, Row } from '../dialect/db.ts'
import type { NameReader } from '../reader/name_reader.ts'
import { every, oneOf, run, sql, type Sql } from '../reader/sql.ts'
import { Cell } from './cells.ts'
import { readHosts, type HostSeries, type HostUsage } from './host_reader.ts'
import type { MetricCount } from './metric_types.ts'
import { METRIC_COLUMNS } from './metric_writing.ts'
import type { Sketch } from './sketch.ts'
import {
  HOUR,
  MINUTE,
  MINUTES_PER_HOUR,
  slotsOf,
  spanOf,
  unsummedHours,
  type SlotRange,
  type Span,
} from './span.ts'

/** One name, or several whose jobs count together. */
export type MetricFilter = { queue?: string | string[]; type?: string | string[]; host?: string }

/** Epoch milliseconds; widened to whole steps. Without a step (ms) there are about 100 points. */
export type MetricRange = { from: number; to: number; step?: number }

/** Milliseconds, from merged sketches: exact within 2 %. */
export type Percentiles = { count: number; p50: number; p95: number; p99: number }

/** `wait`: from ready to the beginning of an attempt. `run`: of attempts that completed or failed. Null when there was none. */
export type MetricSums = Record<MetricCount, number> & {
  wait: Percentiles | null
  run: Percentiles | null
}

export type MetricPoint = MetricSums & { at: number }

/** `points` has every step of the range, also those without any jobs. */
export type MetricSeries = Span & { points: MetricPoint[]; total: MetricSums }

/**
 * Reads what happened over time. All methods throw E_DATABASE_UNAVAILABLE while the database is away.
 */
export class MetricsReader {
  constructor(
    private db: Db,
    private names: NameReader
  ) {}

  /**
   * What happened in each step of a range, over all jobs or those of some names. A name that nobody knows has no jobs.
   */
  async series(query: MetricFilter & MetricRange): Promise<MetricSeries> {
    const span = spanOf(query)
    const cells = new Map<number, Cell>()
    const total = new Cell()
    const where = await this.#where(query)
    if (where) {
      for (const row of await this.#rows(where, span)) {
        const at = span.from + Math.floor((row.at - span.from) / span.step) * span.step
        const cell = cells.get(at) ?? new Cell()
        cells.set(at, cell.addRow(row))
      }
    }
    const points: MetricPoint[] = []
    for (let at = span.from; at < span.to; at += span.step) {
      const cell = cells.get(at)
      if (cell) total.merge(cell)
      points.push({ at, ...sumsOf(cell ?? EMPTY) })
    }
    return { ...span, points, total: sumsOf(total) }
  }

  /**
   * What happened in a range altogether, name by name; names without any jobs in it are absent.
   */
  async totals(
    by: 'queue' | 'type' | 'host',
    range: Omit<MetricRange, 'step'>
  ): Promise<Map<string, MetricSums>> {
    const columns = ['queue', 'type', 'host'].map((name) => `${name}_id`)
    const where = every(
      columns.map((name) => (name === `${by}_id` ? sql(`${name} > 0`) : sql(`${name} = 0`)))
    )
    const cells = new Map<number, Cell>()
    for (const row of await this.#rows(where, spanOf(range))) {
      const id = Number(row[`${by}_id`])
      cells.set(id, (cells.get(id) ?? new Cell()).addRow(row))
    }
    await this.names.load(cells.keys())
    return new Map([...cells].map(([id, cell]) => [this.names.text(id), sumsOf(cell)]))
  }

  /**
   * CPU and memory of the hosts that workers reported from, by host.
   */
  async hosts(range: MetricRange & { host?: string }): Promise<Map<string, HostSeries>> {
    const ids = range.host === undefined ? null : await this.names.resolve('host', [range.host])
    return readHosts(this.db, this.names, spanOf(range), ids)
  }

  /**
   * CPU and memory of one host, with the steps that its points stand in. A host that nobody knows has no points.
   */
  async host(range: MetricRange & { host: string }): Promise<HostUsage> {
    const hosts = await this.hosts(range)
    return { ...spanOf(range), points: hosts.get(range.host) ?? [] }
  }

  /** Which rows are the wanted sums; null when a name is not known. */
  async #where(filter: MetricFilter): Promise<Sql | null> {
    const conditions: Sql[] = []
    const kinds = ['queue', 'type', 'host'] as const
    const asked = kinds.filter((kind) => filter[kind] !== undefined)
    for (const kind of kinds) {
      const value = filter[kind]
      if (value === undefined) {
        /** Sums of one name, or of all, stand ready; those of two names are added up. */
        const isSummed = asked.length < 2
        if (isSummed) conditions.push(sql(`${kind}_id = 0`))
        else if (kind !== 'host') conditions.push(sql(`${kind}_id > 0`))
        continue
      }
      const ids = await this.names.resolve(kind, typeof value === 'string' ? [value] : value)
      if (ids.length === 0) return null
      conditions.push(oneOf(`${kind}_id`, ids))
    }
    return every(conditions)
  }

  /** Rows of a span with the moment of each, `at`: from hours where the step allows it, else from minutes. */
  async #rows(where: Sql, span: Span): Promise<Row[]> {
    if (span.unit === 'minute') return this.#read('minute', where, slotsOf(span, MINUTE))
    const hours = slotsOf(span, HOUR)
    const unsummed = await unsummedHours(this.db, hours)
    const sums = await this.#read('hour', where, hours)
    const rows = sums.filter(({ slot }) => !unsummed.replaced.has(slot))
    for (const hour of unsummed.hours) {
      const minutes = { first: hour * MINUTES_PER_HOUR, end: (hour + 1) * MINUTES_PER_HOUR }
      rows.push(...(await this.#read('minute', where, minutes)))
    }
    return rows
  }

  async #read(unit: 'minute' | 'hour', where: Sql, { first, end }: SlotRange): Promise<Row[]> {
    const found = every([where, sql('slot >= ? and slot < ?', first, end)])
    const rows = await run(this.db, {
      text: `select ${METRIC_COLUMNS} from queuedeck_metrics_${unit} where ${found.text}`,
      values: found.values,
    })
    const length = unit === 'minute' ? MINUTE : HOUR
    for (const row of rows) row.at = row.slot * length
    return rows
  }
}

const EMPTY = new Cell()

function sumsOf(cell: Cell): MetricSums {
  return { ...cell.counts, wait: percentilesOf(cell.wait), run: percentilesOf(cell.run) }
}

function percentilesOf(sketch: Sketch): Percentiles | null {
  if (sketch.count === 0) return null
  const at = (share: number) => sketch.quantile(share)!
  return { count: sketch.count, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
