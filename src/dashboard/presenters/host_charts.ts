import type { HostPoint } from '../../records/metrics/main.ts'
import type { ChartedHost, ChartRange } from '../metrics.ts'
import { areaPaths, linePath, Scale, timeTicks } from './chart_scale.ts'
import { bytes, type Clock } from './format.ts'
import { iso } from './job_json.ts'
import { RANGE_NAMES, type ChartView } from './metric_charts.ts'

export type HostChartsView = { cpu: ChartView; memory: ChartView }

type Kind = {
  id: keyof HostChartsView
  title: string
  /** What is meant, for the words of the whole chart. */
  of: string
  /** Beside the mean: the highest that was seen, and what there is altogether. */
  limit: string | null
  text: (value: number) => string
  mean: (point: HostPoint) => number
  most: (point: HostPoint) => number
}

/**
 * What all workers of a host used together, over a range: means with the highest samples behind them, gaps where none reported.
 */
export function hostCharts(
  host: string,
  charted: ChartedHost,
  range: ChartRange,
  clock: Clock
): HostChartsView {
  const { points } = charted.usage
  const chart = (kind: Kind, scale: Scale) =>
    usageChart(host, charted, { kind, scale, range, clock })
  const limit = points.at(-1)?.memory.limit ?? 0
  const memory = points.map((point) => point.memory.most)
  return {
    cpu: chart(
      {
        id: 'cpu',
        title: 'CPU',
        of: 'CPU, as a share of all cores, of all workers',
        limit: null,
        text: (value) => `${Math.round(value * 100)} %`,
        mean: ({ cpu }) => cpu.mean,
        most: ({ cpu }) => cpu.most,
      },
      Scale.shares()
    ),
    memory: chart(
      {
        id: 'memory',
        title: 'Memory',
        of: 'Memory of all workers',
        limit: limit > 0 ? bytes(limit) : null,
        text: bytes,
        mean: (point) => point.memory.mean,
        most: (point) => point.memory.most,
      },
      Scale.bytes(Math.max(0, ...memory))
    ),
  }
}

/**
 * The same as programs get it: moments ISO 8601, shares from 0 to 1, memory in bytes; only steps in which a worker reported.
 */
export function usageJson({ usage }: ChartedHost) {
  return {
    from: iso(usage.from),
    to: iso(usage.to),
    step: usage.step,
    data: usage.points.map(({ at, ...point }) => ({ at: iso(at), ...point })),
  }
}

function usageChart(
  host: string,
  { usage, now }: ChartedHost,
  { kind, scale, range, clock }: { kind: Kind; scale: Scale; range: ChartRange; clock: Clock }
): ChartView {
  const { from, to, step, points } = usage
  const at = new Map(points.map((point) => [point.at, point]))
  const steps: (HostPoint | null)[] = []
  for (let slot = from; slot < to; slot += step) steps.push(at.get(slot) ?? null)
  const values = (of: (point: HostPoint) => number) =>
    steps.map((point) => (point === null ? null : Math.min(of(point), scale.top)))
  const latest = points.at(-1)
  const highest = Math.max(0, ...points.map(kind.most))
  const keys: ChartView['keys'] = [
    {
      mark: 'running',
      dashed: false,
      label: 'mean, latest',
      value: latest ? kind.text(kind.mean(latest)) : '–',
    },
    { mark: 'pending', dashed: true, label: 'highest', value: kind.text(highest) },
  ]
  const ceiling = kind.limit === null ? '' : ` of ${kind.limit}`
  return {
    id: kind.id,
    title: kind.title,
    label: `${kind.of} on ${host} in ${RANGE_NAMES[range]}: latest ${keys[0].value}, highest ${keys[1].value}${ceiling}`,
    empty: latest ? null : `No worker of ${host} reported in ${RANGE_NAMES[range]}`,
    keys,
    lines: scale.lines,
    ticks: timeTicks(from, Math.min(to, now), clock),
    shapes: [
      { kind: 'a-run', path: areaPaths(values(kind.mean), scale) },
      { kind: 'ln ln-wait', path: linePath(values(kind.most), scale) },
      { kind: 'ln ln-run', path: linePath(values(kind.mean), scale) },
    ],
    table: {
      heads: kind.limit === null ? ['Mean', 'Highest'] : ['Mean', 'Highest', 'Limit'],
      rows: points.map((point) => ({
        at: clock.moment(point.at),
        cells: [
          kind.text(kind.mean(point)),
          kind.text(kind.most(point)),
          ...(kind.limit === null ? [] : [bytes(point.memory.limit)]),
        ],
      })),
    },
  }
}
