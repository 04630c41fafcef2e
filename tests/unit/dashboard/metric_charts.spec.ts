import { test } from '@japa/runner'
import { Clock } from '../../../src/dashboard/presenters/format.ts'
import { metricCharts } from '../../../src/dashboard/presenters/metric_charts.ts'
import type { MetricSeries } from '../../../src/records/metrics/main.ts'

const MINUTE = 60_000
const NOON = Date.UTC(2026, 10, 25, 12)

/** An hour that ends with the minute that has just begun. */
function hour(): MetricSeries {
  const run = { count: 3, p50: 10, p95: 20, p99: 30 }
  const from = NOON - 59 * MINUTE
  const point = { added: 3, completed: 2, failed: 1, cancelled: 0, retried: 0, run, wait: run }
  const points = Array.from({ length: 60 }, (_, index) => ({ ...point, at: from + index * MINUTE }))
  const total = { ...point, added: 180, completed: 120, failed: 60 }
  return { from, to: NOON + MINUTE, step: MINUTE, unit: 'minute', points, total }
}

test.group('Charts over time', () => {
  test('both end now, at the same minute', ({ assert }) => {
    const now = NOON + 5_000
    const { throughput, latency } = metricCharts(
      { series: hour(), now },
      '1h',
      new Clock('UTC', now)
    )
    assert.deepEqual(latency.ticks, throughput.ticks)
    assert.equal(latency.ticks.at(-1)!.label, '12:00')
  })

  test('say of which time the numbers beside the names are', ({ assert }) => {
    const charted = { series: hour(), now: NOON }
    const clock = new Clock('UTC', NOON)
    const { throughput, latency } = metricCharts(charted, '24h', clock)
    assert.deepEqual([throughput.span, latency.span], ['in 24 h', 'in 24 h'])
    assert.equal(metricCharts(charted, '1h', clock).throughput.span, 'in 1 h')
  })
})
