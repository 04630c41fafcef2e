import type { HostSeries, MetricSeries, MetricSums } from '../../records/metrics/main.ts'
import { iso } from './job_json.ts'

/**
 * Metrics as programs get them: moments ISO 8601, times in milliseconds, shares from 0 to 1, memory in bytes.
 */
export function metricsJson(series: MetricSeries, hosts: Map<string, HostSeries>) {
  return {
    from: iso(series.from),
    to: iso(series.to),
    step: series.step,
    data: series.points.map(({ at, ...sums }) => ({ at: iso(at), ...sums })),
    total: series.total satisfies MetricSums,
    hosts: [...hosts].map(([host, points]) => ({
      host,
      data: points.map(({ at, ...point }) => ({ at: iso(at), ...point })),
    })),
  }
}
