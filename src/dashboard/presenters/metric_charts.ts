import type { MetricPoint, MetricSeries, Percentiles } from '../../records/metrics/main.ts'
import { CHART_RANGES, type Charted, type ChartRange } from '../metrics.ts'
import { areaPath, areaPaths, linePath, Scale, timeTicks, type AxisTick } from './chart_scale.ts'
import { count, duration, roughDuration, type Clock } from './format.ts'
import type { Mark, Moment } from './types.ts'

const MINUTE = 60_000

/** A step that has just begun says too little about its minute. */
const LEAST_SHARE = 0.25

/** One chart, ready to print. */
export type ChartView = {
  id: string
  title: string
  /** Of numbers that do not name theirs. */
  unit?: string
  /** What it shows, for those who do not see it. */
  label: string
  /** Instead of the drawing, when there is nothing to draw. */
  empty: string | null
  /** Of what time the numbers beside the names are, where they are not the latest: `in 1 h`. */
  span?: string
  keys: { mark: Mark | null; dashed: boolean; label: string; value: string }[]
  lines: AxisTick[]
  ticks: AxisTick[]
  /** Filled shapes and lines, back to front: a class and a path. */
  shapes: { kind: string; path: string }[]
  table: { heads: string[]; rows: { at: Moment; cells: string[] }[] }
}

/** Links to the ranges, the chosen one marked. */
export type RangeChoice = { label: string; title: string; url: string; chosen: boolean }[]

export type MetricChartsView = {
  throughput: ChartView
  latency: ChartView
}

export const RANGE_NAMES: Record<ChartRange, string> = {
  '1h': 'the last hour',
  '24h': 'the last 24 hours',
  '7d': 'the last 7 days',
  '30d': 'the last 30 days',
}

/** `24 h` */
function rangeLabel(range: ChartRange): string {
  return range.replace(/(\d+)/, '$1 ')
}

/**
 * @param urlOf  The same page with another range.
 */
export function rangeChoice(chosen: ChartRange, urlOf: (range: ChartRange) => string): RangeChoice {
  return (Object.keys(CHART_RANGES) as ChartRange[]).map((range) => ({
    label: rangeLabel(range),
    title: RANGE_NAMES[range],
    url: urlOf(range),
    chosen: range === chosen,
  }))
}

/**
 * Throughput and latency of a range.
 */
export function metricCharts(charted: Charted, range: ChartRange, clock: Clock): MetricChartsView {
  return {
    throughput: throughput(charted, range, clock),
    latency: latency(charted, range, clock),
  }
}

function throughput({ series, now }: Charted, range: ChartRange, clock: Clock): ChartView {
  const { points, step, total } = series
  const per = (point: MetricPoint, value: number) =>
    value / (Math.max(Math.min(step, now - point.at), step * LEAST_SHARE) / MINUTE)
  const completed = points.map((point) => per(point, point.completed))
  const failed = points.map((point) => per(point, point.failed))
  const added = points.map((point) => per(point, point.added))
  const scale = Scale.numbers(Math.max(...completed, ...failed, ...added))
  const happened = ({ added: n, completed: c, failed: f, cancelled: x, retried: r }: MetricPoint) =>
    n + c + f + x + r > 0
  return {
    id: 'throughput',
    title: 'Throughput',
    unit: 'jobs a minute',
    label: `Jobs a minute in ${RANGE_NAMES[range]}: ${count(total.completed)} completed, ${count(total.failed)} failed, ${count(total.added)} added`,
    empty: points.some(happened) ? null : `Nothing happened in ${RANGE_NAMES[range]}`,
    span: `in ${rangeLabel(range)}`,
    keys: [
      { mark: null, dashed: false, label: 'completed', value: count(total.completed) },
      { mark: 'failed', dashed: false, label: 'failed', value: count(total.failed) },
      { mark: 'pending', dashed: true, label: 'added', value: count(total.added) },
    ],
    lines: scale.lines,
    ticks: timeTicks(series.from, Math.min(series.to, now), clock),
    shapes: [
      { kind: 'a-ok', path: areaPath(completed, scale) },
      { kind: 'ln ln-ok', path: linePath(completed, scale) },
      { kind: 'ln ln-wait', path: linePath(added, scale) },
      ...(total.failed > 0
        ? [
            { kind: 'a-bad', path: areaPath(failed, scale) },
            { kind: 'ln ln-bad', path: linePath(failed, scale) },
          ]
        : []),
    ],
    table: {
      heads: ['Added', 'Completed', 'Failed', 'Cancelled', 'Retried'],
      rows: points.filter(happened).map((point) => ({
        at: clock.moment(point.at),
        cells: [point.added, point.completed, point.failed, point.cancelled, point.retried].map(
          count
        ),
      })),
    },
  }
}

function latency({ series, now }: Charted, range: ChartRange, clock: Clock): ChartView {
  const { points, total } = series
  const values = (of: (point: MetricPoint) => Percentiles | null, which: 'p50' | 'p95') =>
    points.map((point) => of(point)?.[which] ?? null)
  const run = (point: MetricPoint) => point.run
  const wait = (point: MetricPoint) => point.wait
  const run95 = values(run, 'p95')
  const wait95 = values(wait, 'p95')
  const scale = Scale.durations(Math.max(1, ...[...run95, ...wait95].map((value) => value ?? 0)))
  const told = points.filter((point) => point.run !== null || point.wait !== null)
  const both = (of: Percentiles | null) =>
    of === null ? '–' : `p50 ${duration(of.p50)}, p95 ${duration(of.p95)}`
  return {
    id: 'latency',
    title: 'Latency',
    label: `Running and waiting times in ${RANGE_NAMES[range]}: running ${both(total.run)}; waiting ${both(total.wait)}`,
    empty: told.length > 0 ? null : `No job began or ended in ${RANGE_NAMES[range]}`,
    span: `in ${rangeLabel(range)}`,
    keys: [
      { mark: 'running', dashed: false, label: 'running', value: both(total.run) },
      { mark: 'pending', dashed: true, label: 'waiting', value: both(total.wait) },
    ],
    lines: scale.lines,
    ticks: timeTicks(series.from, Math.min(series.to, now), clock),
    shapes: [
      { kind: 'a-run', path: areaPaths(run95, scale) },
      { kind: 'ln ln-wait ln-soft', path: linePath(values(wait, 'p50'), scale) },
      { kind: 'ln ln-wait', path: linePath(wait95, scale) },
      { kind: 'ln ln-run ln-soft', path: linePath(values(run, 'p50'), scale) },
      { kind: 'ln ln-run', path: linePath(run95, scale) },
    ],
    table: {
      heads: ['Running p50', 'p95', 'p99', 'Waiting p50', 'p95', 'p99'],
      rows: told.map((point) => ({
        at: clock.moment(point.at),
        cells: [point.run, point.wait].flatMap((of) =>
          (['p50', 'p95', 'p99'] as const).map((which) => (of === null ? '–' : duration(of[which])))
        ),
      })),
    },
  }
}

/** `3.4/min`, from what happened in an hour. */
export function ratePerMinute(number: number): string {
  const rate = number / 60
  if (rate === 0) return '0/min'
  if (rate < 0.1) return '<0.1/min'
  return `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}/min`
}

/** Length of a step in words: `15 min`. */
export function stepText({ step }: MetricSeries): string {
  return roughDuration(step)
}
