import type { DrainedAnswer } from '../../operations/drain_queue.ts'
import type { QueueView } from '../../operations/queue_views.ts'
import type { JobStatus } from '../../types.ts'
import type { MetricSums } from '../../records/metrics/main.ts'
import type { DashboardUrls } from '../urls.ts'
import { count, duration, type Clock } from './format.ts'
import { ratePerMinute, type MetricChartsView, type RangeChoice } from './metric_charts.ts'
import type { ActionView, Mark, Moment } from './types.ts'

/** A number of jobs with the list of them. */
export type QueueFigure = {
  key: JobStatus
  label: string
  text: string
  zero: boolean
  url: string
}

/**
 * One queue, ready to print.
 */
export type QueueRow = {
  /** For ids in the page: the name, encoded. */
  key: string
  name: string
  url: string
  mark: Mark
  paused: boolean
  /** Below the name: who serves it, or that nobody does. */
  note: string
  warning: boolean
  figures: QueueFigure[]
  /** What ended in the last hour, `3.4/min`, and how long jobs waited; null while the database is away. */
  hour: { rate: string; waits: string } | null
  oldest: { at: Moment; url: string } | null
  limit: {
    /** `3 of 5`, or the number alone where there is no limit. */
    text: string
    share: number | null
    /** Who set it, and what the configuration says; '' for none. */
    source: string
    /** In the field of the form. */
    value: string
    canReset: boolean
  }
  /** Pausing, or resuming where it is paused. */
  pause: ActionView & { label: string }
  drain: ActionView
  limits: ActionView
}

export type QueuesPage = {
  /** null while Redis does not answer. */
  rows: QueueRow[] | null
  url: string
}

/** What one queue did, on its own page. */
export type QueueCharts = { charts: MetricChartsView; ranges: RangeChoice }

/**
 * The question before a queue is drained.
 */
export type DrainPage = {
  name: string
  url: string
  backUrl: string
  waiting: string
  scheduled: string | null
  refused: string | null
}

const LABELS = {
  pending: 'Pending',
  running: 'Running',
  scheduled: 'Scheduled',
  blocked: 'Blocked',
  completed: 'Completed',
  failed: 'Failed',
} as const

/** A worker that takes whatever queue there is tells of a new one with its next report, ms. */
const SOON = 15_000

const NOT_ALLOWED = 'You may look, but not act'

export function queueRow(
  queue: QueueView,
  {
    urls,
    clock,
    manage,
    hour,
  }: {
    urls: DashboardUrls
    clock: Clock
    manage: boolean
    /** What it did in the last hour: undefined for nothing, null while nobody knows. */
    hour?: MetricSums | null
  }
): QueueRow {
  const { name, paused, depths, oldest, workers, limit } = queue
  const waits = depths.pending + depths.scheduled > 0
  const isNew = oldest !== null && clock.now - oldest.createdAt < SOON
  const warning = workers === 0 && waits && !isNew
  const action = (url: string, refusal: string | null = null): ActionView => {
    const reason = manage ? refusal : NOT_ALLOWED
    return { url, allowed: reason === null, reason }
  }
  return {
    key: encodeURIComponent(name.toWellFormed()),
    name,
    url: urls.queue(name),
    mark: warning || paused ? 'suspect' : depths.running > 0 ? 'running' : 'pending',
    paused,
    note: noteOf(workers, warning),
    warning,
    figures: (Object.keys(LABELS) as (keyof typeof LABELS)[]).map((key) => ({
      key,
      label: LABELS[key],
      text: count(depths[key]),
      zero: depths[key] === 0,
      url: urls.jobs({ queue: name, status: key }),
    })),
    hour: hour === null ? null : hourOf(hour),
    oldest: oldest && { at: clock.moment(oldest.createdAt), url: urls.job(oldest.id) },
    limit: limitOf(limit),
    pause: {
      ...action(paused ? urls.resumeQueue(name) : urls.pauseQueue(name)),
      label: paused ? 'Resume' : 'Pause',
    },
    drain: action(urls.drainQueue(name), waits ? null : 'Nothing waits in this queue'),
    limits: action(urls.queueLimits(name)),
  }
}

/**
 * What draining would take, in words.
 */
export function drainPage(
  { name, depths }: QueueView,
  { urls, manage }: { urls: DashboardUrls; manage: boolean }
): DrainPage {
  const { pending, scheduled } = depths
  return {
    name,
    url: urls.drainQueue(name),
    backUrl: urls.queue(name),
    waiting: jobs(pending),
    scheduled: scheduled > 0 ? jobs(scheduled) : null,
    refused: !manage
      ? NOT_ALLOWED
      : pending + scheduled === 0
        ? 'Nothing waits in this queue'
        : null,
  }
}

/** `1 job`, `1,204 jobs`. */
export function jobs(number: number): string {
  return `${count(number)} ${number === 1 ? 'job' : 'jobs'}`
}

function hourOf(sums: MetricSums | undefined): QueueRow['hour'] {
  const ended = sums ? sums.completed + sums.failed + sums.cancelled : 0
  return {
    rate: ratePerMinute(ended),
    waits: sums?.wait ? `p95 ${duration(sums.wait.p95)}` : '',
  }
}

function noteOf(workers: number, warning: boolean): string {
  if (workers === 0) return warning ? 'no worker serves it' : 'no worker has told of it'
  return `${count(workers)} ${workers === 1 ? 'worker' : 'workers'}`
}

function limitOf({ limit, configured, set, running }: QueueView['limit']): QueueRow['limit'] {
  const otherwise = configured === null ? 'no limit' : count(configured)
  return {
    text: limit === null ? 'none' : `${count(running)} of ${count(limit)}`,
    share: limit === null ? null : Math.min(100, Math.round((running / limit) * 100)),
    source:
      set !== null
        ? `set by ${set.by}, configured: ${otherwise}`
        : limit === null
          ? ''
          : 'as configured',
    value: limit === null ? '' : String(limit),
    canReset: set !== null,
  }
}

/**
 * What draining did: `3 jobs cancelled`; of one that goes on in the background what it did so far.
 */
export function drainedText({
  cancelled,
  requested,
  outcome,
}: Pick<DrainedAnswer, 'cancelled' | 'requested' | 'outcome'>) {
  if (outcome === 'requested') {
    return `${jobs(cancelled + requested)} cancelled so far; draining goes on in the background`
  }
  const told = requested === 0 ? '' : `, ${jobs(requested)} end as soon as a worker takes them`
  return cancelled + requested === 0 ? 'nothing waited' : `${jobs(cancelled)} cancelled${told}`
}
