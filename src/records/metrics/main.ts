/**
 * Metrics: what happened per minute and per hour, by queue, type and host. Reached by `records.metrics` (reading) and
 * `records.metricsKeeper` (the mirror's leader).
 *
 * ```ts
 * records.metrics.series({ from, to, step?, queue?, type?, host? })  // Promise<MetricSeries>
 *   // { from, to, step, unit, points: [{ at, added, completed, failed, cancelled, retried, wait, run }], total }
 *   // wait, run: { count, p50, p95, p99 } in milliseconds, or null
 * records.metrics.totals('queue' | 'type' | 'host', { from, to })    // Promise<Map<name, MetricSums>>
 * records.metrics.hosts({ from, to, step?, host? })                  // Promise<Map<host, HostPoint[]>>
 * records.metrics.host({ from, to, step?, host })                    // Promise<{ from, to, step, unit, points: HostPoint[] }>
 *   // HostPoint: { at, samples, cpu: { mean, most }, memory: { mean, most, limit } }; cpu as a share of all cores (0 to 1), memory in bytes
 * ```
 *
 * `from`, `to` and `at` are epoch milliseconds by Redis' clock (`transport.time()`), widened to whole steps; `step` is whole minutes
 * (`60_000` gives every minute), by default about 100 points. Minutes are kept 90 days and hours 2 years (`kept.metrics`).
 *
 * Tables: `queuedeck_metrics_minute` and `_hour` (counts and two sketches; key queue, type, host, slot; rows with 0 for a name are the
 * sums over it), `queuedeck_hosts_minute` and `_hour` (samples every 10 s, summed up), `queuedeck_metrics_open` (hours whose sum is due).
 * The mirror writes minutes in the very transaction that moves its cursor, so they count what its records took in, exactly once.
 */
export { MetricsReader } from './metrics_reader.ts'
export type {
  MetricFilter,
  MetricPoint,
  MetricRange,
  MetricSeries,
  MetricSums,
  Percentiles,
} from './metrics_reader.ts'
export type { HostPoint, HostSeries, HostUsage } from './host_reader.ts'
export { MetricsKeeper } from './metrics_keeper.ts'
export { METRIC_COUNTS, type HostSample, type MetricCount } from './metric_types.ts'
