import type { CleanupRun, CleanupStatus } from '../../cleanup/cleanup.ts'
import { CLEANUP_KINDS, type CleanupCounts, type CleanupKind } from '../../cleanup/kinds.ts'
import type { KeptClocks } from '../../types.ts'
import type { DashboardUrls } from '../urls.ts'
import { count, duration, type Clock } from './format.ts'
import { iso } from './job_json.ts'
import type { ActionView, Mark, Moment } from './types.ts'

const TRIGGERS = {
  start: 'at the start',
  schedule: 'by itself',
  command: 'by command',
  page: 'by hand',
} as const

export type CleanupItem = {
  id: number
  mark: Mark
  /** `removed`, `dry run`, `running`, `did not end` */
  word: string
  why: string
  actor: string
  process: string
  started: Moment
  /** What it took so far or in all; ms while it runs, else null. */
  took: string
  elapsed: number | null
  /** Kinds of which something went, or would go, most first. */
  gone: { label: string; count: string }[]
  error: string | null
}

export type CleanupsPage = {
  last: CleanupItem | null
  running: CleanupItem | null
  next: Moment | null
  /** Why no next run is known. */
  noNext: string
  runs: CleanupItem[]
  /** The address of runs before these; null when there are none. */
  older: string | null
  newest: string | null
  clocks: { label: string; value: string; note: string }[]
  run: ActionView
  /** Without the database no run is known. */
  known: boolean
}

export type CleanupsInput = {
  status: CleanupStatus | null
  isLed: boolean | null
  runs: CleanupRun[]
  older: number | null
  isFirst: boolean
  kept: KeptClocks
  every: number
  manage: boolean
}

export function cleanupsPage(
  input: CleanupsInput,
  { urls, clock }: { urls: DashboardUrls; clock: Clock }
): CleanupsPage {
  const { status, isLed, runs, older, isFirst, kept, every, manage } = input
  const item = (run: CleanupRun | null | undefined) => (run ? cleanupItem(run, clock) : null)
  const next = isLed === true ? (status?.next ?? null) : null
  return {
    last: item(status?.last),
    running: item(status?.running),
    next: clock.maybe(next === null ? null : Math.max(next, clock.now)),
    noNext:
      isLed === null
        ? 'not known while Redis does not answer'
        : isLed
          ? 'at once'
          : 'none: no process cleans up by itself',
    runs: runs.map((run) => cleanupItem(run, clock)),
    older: older === null ? null : urls.cleanups({ cursor: older }),
    newest: isFirst ? null : urls.cleanups(),
    clocks: clocksOf(kept, every),
    run: {
      url: urls.cleanups(),
      allowed: manage && status !== null && !status.running,
      reason: !manage
        ? 'You may not act here'
        : status === null
          ? 'The database does not answer'
          : status.running
            ? 'A cleanup is running'
            : null,
    },
    known: status !== null,
  }
}

export function cleanupItem(run: CleanupRun, clock: Clock): CleanupItem {
  const { id, startedAt, endedAt, dryRun, error, counts } = run
  const elapsed = Math.max(0, (endedAt ?? clock.now) - startedAt)
  const gone = goneOf(counts)
  const word =
    endedAt === null
      ? dryRun
        ? 'counting'
        : 'running'
      : dryRun
        ? 'dry run'
        : error !== null && gone.length === 0
          ? 'nothing went'
          : error !== null
            ? 'in part'
            : 'done'
  return {
    id,
    mark:
      endedAt === null ? 'running' : error !== null ? 'suspect' : dryRun ? 'pending' : 'completed',
    word,
    why: TRIGGERS[run.trigger] ?? run.trigger,
    actor: run.actor,
    process: run.process,
    started: clock.moment(startedAt),
    took: duration(elapsed),
    elapsed: endedAt === null ? elapsed : null,
    gone,
    error,
  }
}

function goneOf(counts: CleanupCounts): CleanupItem['gone'] {
  return (Object.entries(counts) as [CleanupKind, number][])
    .filter(([, n]) => n > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([kind, n]) => ({ label: CLEANUP_KINDS[kind], count: count(n) }))
}

/** The clocks in force, in words. */
function clocksOf(kept: KeptClocks, every: number): CleanupsPage['clocks'] {
  const { records } = kept
  const ended = 'after their end, once the record is committed'
  return [
    ['Failed jobs in Redis', kept.failed, ended],
    ['Completed jobs in Redis', kept.completed, ended],
    ['Cancelled jobs in Redis', kept.cancelled, ended],
    ['Results in Redis', kept.results, 'the record keeps them longer'],
    ['Orphaned locks and claims', kept.claims, 'slots end by themselves'],
    ['At the start', kept.atStart, 'ended jobs in Redis older than this go when a process starts'],
    ['Completed records', records.completed, 'with all that belongs to them'],
    ['Failed records', records.failed, 'they can be restarted until then'],
    ['Cancelled records', records.cancelled, 'they can be restarted until then'],
    [
      'Logs and progress',
      kept.details,
      'of records that are kept longer, and what became of each run of schedules',
    ],
    ['This list', kept.cleanups, 'of cleanups'],
    ['Alerts that are over', kept.alerts, 'open ones stay'],
    ['Audit', kept.audit, 'who did what, and results of bulk operations'],
    ['Metrics by minute', kept.metrics.minutes, 'then by the hour alone'],
    ['Metrics by hour', kept.metrics.hours, 'throughput, latency, CPU and memory'],
    ['Cleanup itself', every, 'from one run to the next, in one process at a time'],
  ].map(([label, value, note]) => ({
    label: label as string,
    value: value === null ? 'for ever' : value === 0 ? 'at once' : span(value as number),
    note: note as string,
  }))
}

/** Clocks are round numbers of something: `500 s`, `24 h`, `30 d`. */
function span(milliseconds: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const
  for (const [size, unit] of units) {
    const value = milliseconds / size
    if (Number.isInteger(value) && (value > 1 || unit !== 'd')) return `${count(value)} ${unit}`
  }
  return duration(milliseconds)
}

/** A run as programs get it. */
export function cleanupJson({ startedAt, endedAt, ...run }: CleanupRun) {
  return {
    ...run,
    startedAt: iso(startedAt),
    endedAt: endedAt === null ? null : iso(endedAt),
    duration: endedAt === null ? null : endedAt - startedAt,
  }
}
