import type { StatusCounts } from '../../records/reader_types.ts'
import { STATUSES } from '../../statuses.ts'
import { usageReports } from '../../transport/host_usage.ts'
import { isSuspect } from '../../transport/worker_times.ts'
import type { AlertView, WorkerView } from '../../types.ts'
import type { Charted, ChartRange } from '../metrics.ts'
import type { DashboardUrls } from '../urls.ts'
import { alertItem, isLoud } from './alerts_page.ts'
import { bytes, bytesFigure, count, duration, type Clock } from './format.ts'
import { metricCharts, rangeChoice } from './metric_charts.ts'
import type { DashboardPage, Figure, JobRow, Tile, WorkerRow } from './types.ts'

/**
 * The numbers of the tiles; null where what they come from is away.
 */
export type Statistics = {
  counts: StatusCounts | null
  workers: WorkerView[] | null
}

export type DashboardInput = Statistics & {
  charted: Charted | null
  range: ChartRange
  /** null while the records are away. */
  running: JobRow[] | null
  mirrorLag: number | null
  /** When the last cleanup ended and the next is due, epoch ms. */
  cleanup: { last: number | null; next: number | null }
  /** Open ones; null where they are not known. */
  alerts: AlertView[] | null
  urls: DashboardUrls
  clock: Clock
}

export function dashboardPage(input: DashboardInput): DashboardPage {
  const { urls, clock } = input
  return {
    tiles: tiles(input, urls),
    charts: input.charted && metricCharts(input.charted, input.range, clock),
    ranges: rangeChoice(input.range, (range) => urls.dashboard(range === '1h' ? {} : { range })),
    running: input.running,
    workers: input.workers && input.workers.map((worker) => workerRow(worker, clock)),
    mirrorLag: input.mirrorLag === null ? null : duration(input.mirrorLag),
    cleanup: {
      last: clock.maybe(input.cleanup.last),
      next: clock.maybe(input.cleanup.next),
    },
    alerts: alertsOf(input.alerts, { urls, clock }),
  }
}

/** Alerts that the dashboard shows itself. */
const MOST_ALERTS = 4

function alertsOf(alerts: AlertView[] | null, context: { urls: DashboardUrls; clock: Clock }) {
  const loud = (alerts ?? []).filter(isLoud)
  return {
    items: loud.slice(0, MOST_ALERTS).map((alert) => alertItem(alert, context)),
    more: Math.max(0, loud.length - MOST_ALERTS),
  }
}

function alive(workers: readonly WorkerView[] | null): WorkerView[] | null {
  return workers?.filter((worker) => !isSuspect(worker)) ?? null
}

/**
 * What the numbers say, as JSON has them.
 */
export function statistics({ counts, workers }: Statistics) {
  const active = alive(workers)
  const sum = (names: readonly (keyof StatusCounts)[]) =>
    counts === null ? null : names.reduce((total, name) => total + counts[name], 0)
  return {
    pending: counts?.pending ?? null,
    running: counts?.running ?? null,
    scheduled: counts?.scheduled ?? null,
    blocked: counts?.blocked ?? null,
    completed: counts?.completed ?? null,
    failed: counts?.failed ?? null,
    cancelled: counts?.cancelled ?? null,
    inQueue: sum(['pending', 'scheduled', 'blocked', 'running']),
    total: sum(STATUSES),
    activeWorkers: active === null ? null : active.length,
  }
}

/**
 * CPU as a share of all cores of the workers' hosts, 0 to 1; memory in bytes against what applies there. A host that has several
 * workers has its cores and its limit once. Workers count as they do for alerts and charts.
 */
export function usage(workers: WorkerView[] | null) {
  const telling = usageReports(alive(workers) ?? [])
  if (telling.length === 0) return { cpu: null, memory: null }
  const hosts = new Map(telling.map((worker) => [worker.host, worker]))
  const sum = (of: Iterable<WorkerView>, value: (worker: WorkerView) => number) =>
    [...of].reduce((total, worker) => total + value(worker), 0)
  const cores = sum(hosts.values(), ({ cores: own }) => own)
  return {
    cpu: Math.min(1, sum(telling, ({ cpu }) => cpu) / cores),
    memory: {
      used: sum(telling, ({ memory }) => memory.used),
      limit: sum(hosts.values(), ({ memory }) => memory.limit),
    },
  }
}

const LABELS = {
  pending: 'Pending',
  running: 'Running',
  scheduled: 'Scheduled',
  blocked: 'Blocked',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const

export function tiles(input: Statistics, urls: DashboardUrls): Tile[] {
  const numbers = statistics(input)
  const { cpu, memory } = usage(input.workers)
  const slots = (alive(input.workers) ?? []).reduce((sum, { concurrency }) => sum + concurrency, 0)
  const status = (key: keyof typeof LABELS): Tile => ({
    key,
    label: LABELS[key],
    mark: key,
    figures: [number(numbers[key])],
    sub: key === 'running' && slots > 0 ? `of ${count(slots)} at once` : '',
    share: null,
    url: urls.jobs({ status: key }),
  })
  const plain = (
    key: string,
    label: string,
    figures: Figure[],
    rest: Partial<Tile> = {}
  ): Tile => ({
    key,
    label,
    mark: null,
    figures,
    sub: '',
    share: null,
    url: null,
    ...rest,
  })
  const silent = (input.workers ?? []).length - (numbers.activeWorkers ?? 0)
  return [
    ...(Object.keys(LABELS) as (keyof typeof LABELS)[]).map(status),
    plain('inQueue', 'In queue', [number(numbers.inQueue)], { sub: 'pending to running' }),
    plain('total', 'All time', [number(numbers.total)], { url: urls.jobs() }),
    plain('activeWorkers', 'Active workers', [number(numbers.activeWorkers)], {
      sub: silent > 0 ? `${count(silent)} silent` : '',
      url: urls.workers(),
    }),
    plain('cpu', 'CPU', cpu === null ? [NONE] : [{ value: (cpu * 100).toFixed(0), unit: '%' }], {
      sub: cpu === null ? '' : 'of all cores',
      share: cpu === null ? null : Math.round(cpu * 100),
    }),
    plain('memory', 'Memory', memory === null ? [NONE] : [bytesFigure(memory.used)], {
      sub: memory === null ? '' : `of ${bytes(memory.limit)}`,
      share: memory === null ? null : share(memory.used, memory.limit),
    }),
  ]
}

const NONE: Figure = { value: '–', unit: '' }

function number(value: number | null): Figure {
  return value === null ? NONE : { value: count(value), unit: '' }
}

function share(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(100, Math.round((part / whole) * 100))
}

export function workerRow(worker: WorkerView, clock: Clock): WorkerRow {
  const { memory, concurrency, running } = worker
  return {
    id: worker.id,
    host: worker.host,
    pid: worker.pid,
    version: worker.version,
    state: isSuspect(worker) ? 'suspect' : worker.state,
    busy: `${count(running.length)} of ${count(concurrency)}`,
    busyShare: share(running.length, concurrency),
    queues: worker.queues.join(', '),
    cpu: `${Math.round(worker.cpu * 100)} %`,
    memory: bytes(memory.used),
    memoryShare: share(memory.used, memory.limit),
    loopDelay: `${worker.loopDelay.toFixed(1)} ms`,
    started: clock.moment(worker.startedAt),
    age: worker.age,
    ageText: duration(worker.age),
  }
}
