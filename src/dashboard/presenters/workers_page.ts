import type { WorkerRemoval } from '../../transport/worker_report.ts'
import { isSuspect } from '../../transport/worker_times.ts'
import type { WorkerView } from '../../types.ts'
import type { DashboardUrls } from '../urls.ts'
import { workerRow } from './dashboard_page.ts'
import { bytes, count, duration, type Clock } from './format.ts'
import { iso } from './job_json.ts'
import type { ActionView, Mark, Moment, WorkerRow } from './types.ts'

/** Running jobs that a row of the list names; the worker's own page has all. */
const MOST_JOBS = 3
/** Removals that the page names, and how long ago they may be, ms. */
const MOST_REMOVALS = 5
const REMOVALS_SINCE = 86_400_000

/** A job that a worker reported as running. */
export type WorkerJob = {
  url: string
  shortId: string
  id: string
  type: string
  queue: string
  /** Since its start, ms, and in words. */
  elapsed: number
  duration: string
  signalIgnored: boolean
}

export type WorkerItem = WorkerRow & {
  url: string
  mark: Mark
  /** `of 512 MB` */
  memoryLimit: string
  cores: string
  jobs: WorkerJob[]
  /** Running jobs that are not in `jobs`. */
  moreJobs: number
  /** POST targets, `stop` with a GET that asks; `turn` is what would change the state now: `quiet` or `resume`. */
  turn: ActionView & { name: 'quiet' | 'resume'; label: string }
  stop: ActionView
}

export type WorkersPage = {
  workers: WorkerItem[]
  /** `4 processes, 1 silent, 11 of 30 busy`; empty without workers */
  summary: string
  /** How many run which version, most first; empty while all run the same. */
  versions: { version: string; workers: string }[]
  /** Removed lately after five minutes of silence. */
  removed: { id: string; at: Moment; silent: string }[]
  /** False while Redis does not answer. */
  known: boolean
}

export type WorkersContext = {
  urls: DashboardUrls
  clock: Clock
  /** Whether this viewer may act on a worker: on all of its queues. */
  mayManage(worker: WorkerView): boolean
}

/**
 * @param workers  null while Redis does not answer
 */
export function workersPage(
  workers: WorkerView[] | null,
  removals: WorkerRemoval[],
  context: WorkersContext
): WorkersPage {
  const list = ordered(workers ?? [])
  const versions = versionsOf(list)
  return {
    workers: list.map((worker) => workerItem(worker, context, MOST_JOBS)),
    summary: summary(list),
    versions:
      versions.length > 1
        ? versions.map(({ version, workers: running }) => ({
            version,
            workers: processes(running),
          }))
        : [],
    removed: removals
      .filter(({ at }) => at > context.clock.now - REMOVALS_SINCE)
      .slice(0, MOST_REMOVALS)
      .map(({ id, at, silent }) => ({
        id,
        at: context.clock.moment(at),
        silent: duration(silent),
      })),
    known: workers !== null,
  }
}

/**
 * @param most  running jobs that are named
 */
export function workerItem(
  worker: WorkerView,
  { urls, clock, mayManage }: WorkersContext,
  most = Number.POSITIVE_INFINITY
): WorkerItem {
  const row = workerRow(worker, clock)
  const running = [...worker.running].sort((one, other) => one.startedAt - other.startedAt)
  const ends = worker.state === 'stopping'
  const refused = !mayManage(worker)
    ? 'You may not act on all of its queues'
    : ends
      ? 'The worker is ending'
      : null
  const name = worker.state === 'quiet' ? 'resume' : 'quiet'
  return {
    ...row,
    url: urls.worker(worker.id),
    mark: MARKS[row.state],
    memoryLimit: `of ${bytes(worker.memory.limit)}`,
    cores: worker.cores === 1 ? 'of 1 core' : `of ${count(worker.cores)} cores`,
    jobs: running.slice(0, most).map(({ id, queue, type, startedAt, signalIgnored }) => {
      const elapsed = Math.max(0, clock.now - startedAt)
      return {
        url: urls.job(id),
        id,
        shortId: `…${id.slice(-4)}`,
        type,
        queue,
        elapsed,
        duration: duration(elapsed),
        signalIgnored: signalIgnored === true,
      }
    }),
    moreJobs: Math.max(0, running.length - most),
    turn: {
      name,
      label: name === 'quiet' ? 'Quiet' : 'Resume',
      url: urls.askWorker(worker.id, name),
      allowed: refused === null,
      reason: refused,
    },
    stop: { url: urls.askWorker(worker.id, 'stop'), allowed: refused === null, reason: refused },
  }
}

const MARKS = {
  active: 'completed',
  quiet: 'pending',
  stopping: 'stopping',
  suspect: 'suspect',
} as const

/** What a program reads of a worker. */
export function workerJson(worker: WorkerView) {
  const { id, host, pid, version, queues, concurrency, running } = worker
  const { cpu, cores, memory, loopDelay, startedAt, age } = worker
  return {
    id,
    host,
    pid,
    version,
    state: isSuspect(worker) ? 'suspect' : worker.state,
    queues,
    concurrency,
    running: running.map((job) => ({
      ...job,
      startedAt: iso(job.startedAt),
      signalIgnored: job.signalIgnored === true,
    })),
    cpu,
    cores,
    memory,
    loopDelay,
    startedAt: iso(startedAt),
    age,
  }
}

export function workersJson(workers: WorkerView[], removals: WorkerRemoval[]) {
  return {
    data: ordered(workers).map(workerJson),
    versions: versionsOf(workers),
    removed: {
      count: removals[0]?.number ?? 0,
      last: removals.map(({ id, at, silent }) => ({ id, at: iso(at), silent })),
    },
  }
}

/** By host, then by age of the process: a list that is read again stands as before. */
function ordered(workers: WorkerView[]): WorkerView[] {
  return [...workers].sort(
    (one, other) =>
      compare(one.host, other.host) || one.startedAt - other.startedAt || compare(one.id, other.id)
  )
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function versionsOf(workers: WorkerView[]): { version: string; workers: number }[] {
  const found = new Map<string, number>()
  for (const { version } of workers) found.set(version, (found.get(version) ?? 0) + 1)
  return [...found]
    .map(([version, running]) => ({ version, workers: running }))
    .sort((one, other) => other.workers - one.workers || compare(one.version, other.version))
}

function processes(value: number): string {
  return value === 1 ? '1 process' : `${count(value)} processes`
}

/** What those that are silent reported says nothing about now: their jobs and their room count no more than on the dashboard. */
function summary(list: WorkerView[]): string {
  if (list.length === 0) return ''
  const alive = list.filter((worker) => !isSuspect(worker))
  const silent = list.length - alive.length
  const sum = (value: (worker: WorkerView) => number) =>
    count(alive.reduce((total, worker) => total + value(worker), 0))
  const busy = `${sum(({ running }) => running.length)} of ${sum(({ concurrency }) => concurrency)} busy`
  return [
    processes(list.length),
    ...(silent > 0 ? [`${count(silent)} silent`] : []),
    ...(alive.length > 0 ? [busy] : []),
  ].join(', ')
}
