import { InvalidInputException } from '../errors.ts'
import type {
  HostUsage,
  MetricFilter,
  MetricSeries,
  MetricsReader,
  MetricSums,
} from '../records/metrics/main.ts'
import { shown } from '../shown.ts'

const HOUR = 3_600_000

/** What charts may cover, by its name in addresses. */
export const CHART_RANGES = { '1h': HOUR, '24h': 24 * HOUR, '7d': 168 * HOUR, '30d': 720 * HOUR }

export type ChartRange = keyof typeof CHART_RANGES

/**
 * The range of an address; an hour where it names none.
 *
 * @throws InvalidInputException
 */
export function chartRangeOf(value: unknown): ChartRange {
  if (value === undefined || value === '') return '1h'
  if (typeof value === 'string' && Object.hasOwn(CHART_RANGES, value)) return value as ChartRange
  throw new InvalidInputException(
    `"range" must be one of ${Object.keys(CHART_RANGES).join(', ')}, not "${shown(value, 40)}"`,
    'range'
  )
}

/** A series, and what it was by Redis' clock when it was read. */
export type Charted = { series: MetricSeries; now: number }

/** What a host used, and what it was by Redis' clock when it was read. */
export type ChartedHost = { usage: HostUsage; now: number }

/** Series remembered for others that look, and for how long at least, ms. */
const MOST = 200
const FRESH = 2_000
const LONGEST = 30_000

/** How long Redis' clock is reckoned from the one of this process, ms. */
const RECKONED = 30_000

/**
 * What charts show. Pages ask for it with each refresh, and long times change little: what was just read serves all who look.
 */
export class ChartMetrics {
  #kept = new Map<string, { until: number; value: Promise<unknown> }>()
  #ahead = { by: 0, until: -Infinity }

  /**
   * @param redisTime  epoch ms; null while Redis does not answer
   */
  constructor(
    private metrics: MetricsReader,
    private redisTime: () => Promise<number | null>
  ) {}

  /** @throws E_DATABASE_UNAVAILABLE */
  chart(range: ChartRange, filter: MetricFilter = {}): Promise<Charted> {
    const length = CHART_RANGES[range]
    return this.#shared(JSON.stringify([range, filter]), length / 1_000, async () => {
      const now = await this.now()
      return { series: await this.metrics.series({ from: now - length, to: now, ...filter }), now }
    })
  }

  /**
   * CPU and memory of a host.
   *
   * @throws E_DATABASE_UNAVAILABLE
   */
  host(range: ChartRange, host: string): Promise<ChartedHost> {
    const length = CHART_RANGES[range]
    return this.#shared(JSON.stringify(['host', range, host]), length / 1_000, async () => {
      const now = await this.now()
      return { usage: await this.metrics.host({ from: now - length, to: now, host }), now }
    })
  }

  /**
   * What each queue did in the last hour.
   *
   * @throws E_DATABASE_UNAVAILABLE
   */
  queues(): Promise<Map<string, MetricSums>> {
    return this.#shared('queues', FRESH, async () => {
      const now = await this.now()
      return this.metrics.totals('queue', { from: now - HOUR, to: now })
    })
  }

  /** Redis' clock, which decides the minute of everything; this machine's while Redis is away. */
  async now(): Promise<number> {
    if (performance.now() >= this.#ahead.until) {
      const before = Date.now()
      const time = await this.redisTime()
      if (time !== null) this.#ahead = { by: time - before, until: performance.now() + RECKONED }
    }
    return Date.now() + this.#ahead.by
  }

  #shared<T>(key: string, age: number, read: () => Promise<T>): Promise<T> {
    const now = performance.now()
    const kept = this.#kept.get(key)
    if (kept && kept.until > now) return kept.value as Promise<T>
    const value = read()
    const entry = { until: now + Math.min(LONGEST, Math.max(FRESH, age)), value }
    this.#kept.delete(key)
    this.#kept.set(key, entry)
    for (const [old, { until }] of this.#kept) {
      if (until > now && this.#kept.size <= MOST) break
      this.#kept.delete(old)
    }
    value.catch(() => {
      if (this.#kept.get(key) === entry) this.#kept.delete(key)
    })
    return value
  }
}
