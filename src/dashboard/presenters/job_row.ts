import { cutText } from '../../cut_text.ts'
import { isTerminal } from '../../statuses.ts'
import type { JobView } from '../../types.ts'
import type { JobText } from '../redaction/job_texts.ts'
import type { WaitingReason } from '../../transport/limits.ts'
import type { DashboardUrls } from '../urls.ts'
import { countedOf, countedText } from './counted.ts'
import { count, duration, type Clock } from './format.ts'
import type { ActionView, JobRow, Mark } from './types.ts'
import { UNKNOWN_REASON, waitingView } from './waiting.ts'

/** More attempts than this are told in words only. */
const MOST_DOTS = 6
const LONGEST_CONTEXT = 240

/**
 * What rows show beside their jobs.
 */
export type RowFacts = {
  /** 95th percentile of completed jobs by type, milliseconds. */
  p95: Record<string, number>
  /** Ids of workers that have been silent for more than 30 s. */
  suspects: ReadonlySet<string>
  /** Why pending jobs wait, by id; without those of which nothing is known. */
  waiting: ReadonlyMap<string, WaitingReason>
}

/**
 * What all rows of one answer share.
 */
export type RowContext = RowFacts & {
  urls: DashboardUrls
  clock: Clock
  /** Whether this viewer may act on a job. */
  mayManage(job: JobView): boolean
}

/**
 * One job as a row of a list.
 *
 * @param left  It no longer matches the filter of the list it is pinned to.
 */
export function jobRow(job: JobView, text: JobText, context: RowContext, left = false): JobRow {
  const { urls, clock } = context
  const suspect =
    job.status === 'running' && job.worker !== null && context.suspects.has(job.worker)
  const error = errorLine(job, text)
  const waiting = waitingText(job, context)
  return {
    id: job.id,
    now: clock.now,
    shortId: `…${job.id.slice(-4)}`,
    url: urls.job(job.id),
    type: job.type,
    queue: job.queue,
    user: job.user,
    host: job.host,
    tags: job.tags,
    run: job.run,
    status: job.status,
    mark: markOf(job, suspect),
    stopping: job.stopping,
    stoppingWord: job.signalIgnored ? 'ignored the signal' : 'stopping',
    suspect,
    left,
    context: cutText(contextLine(job, text, clock, error, waiting), LONGEST_CONTEXT),
    contextIsError: job.status === 'failed',
    waiting,
    preview: text.preview,
    progress: {
      percent: Math.round(job.progress.percent),
      shown: job.status === 'running' && hasReported(job),
    },
    attempts: attemptsOf(job),
    items: itemsOf(job, text),
    duration: durationOf(job, context),
    created: clock.moment(job.createdAt),
    started: clock.maybe(job.startedAt),
    finished: clock.maybe(job.finishedAt),
    due: clock.maybe(job.dueAt),
    span: spanOf(job, clock),
    error,
    ...actionsOf(job, context),
  }
}

export function markOf(job: Pick<JobView, 'status' | 'stopping'>, suspect = false): Mark {
  if (job.stopping) return 'stopping'
  return suspect ? 'suspect' : job.status
}

/**
 * `4 / 10` over its unit; null while nothing was counted.
 */
export function itemsOf(
  { progress }: Pick<JobView, 'progress'>,
  text: JobText
): { value: string; unit: string } | null {
  const counted = countedOf(progress)
  return counted && { ...counted, unit: text.line(counted.unit) }
}

/**
 * The second line of a running job: its stage and, when there are any, its counts.
 */
export function stageLine(job: Pick<JobView, 'progress'>, text: JobText): string {
  const counted = countedText(itemsOf(job, text))
  return [text.line(job.progress.stage ?? ''), counted].filter(Boolean).join(' · ')
}

function waitingText(job: JobView, { waiting }: RowContext): string | null {
  const reason = waiting.get(job.id)
  if (job.status === 'blocked') return reason ? waitingView(reason).text : null
  if (job.status !== 'pending') return null
  return reason ? waitingView(reason).text : UNKNOWN_REASON
}

function contextLine(
  job: JobView,
  text: JobText,
  clock: Clock,
  error: string | null,
  waiting: string | null
): string {
  switch (job.status) {
    case 'running':
      return stageLine(job, text)
    case 'failed':
      return error ?? ''
    case 'cancelled':
      if (!job.stopping) return withoutStatus(error)
      return job.signalIgnored
        ? 'its code goes on, and its place stays taken'
        : 'stopping: its code has not returned yet'
    case 'scheduled': {
      const due = job.dueAt === null ? '' : ` ${clock.relative(job.dueAt)}`
      return job.attempts.started > 0
        ? `retry ${job.attempts.started + 1} of ${job.attempts.max}${due}`
        : `due${due}`
    }
    case 'pending':
      return job.attempts.started > 0
        ? `attempt ${job.attempts.started + 1} · ${waiting}`
        : (waiting ?? '')
    case 'blocked':
      return waiting ?? 'waits for other jobs'
    case 'completed':
      return stageLine(job, text)
  }
}

function errorLine(job: JobView, text: JobText): string | null {
  const error = text.error(job.error)
  if (!error) return null
  const code = error.code && error.code !== 'CANCELLED' ? `${error.code} ` : ''
  return cutText(`${code}${error.message.replace(/\s+/g, ' ')}`.trim(), LONGEST_CONTEXT)
}

/** The status stands beside it already: of `cancelled by Ada` the line says `by Ada`. */
function withoutStatus(error: string | null): string {
  return error?.replace(/^cancelled (?=by )/, '') ?? ''
}

function hasReported({ progress }: JobView): boolean {
  return progress.percent > 0 || progress.stage !== undefined || progress.done !== undefined
}

function attemptsOf(job: JobView): JobRow['attempts'] {
  const { started, max } = job.attempts
  const most = Math.max(started, max)
  const text = `${count(started)} of ${count(most)}`
  if (most > MOST_DOTS) return { text, dots: [] }
  const last = isTerminal(job.status) || job.status === 'running' ? markOf(job) : 'failed'
  return {
    text,
    dots: Array.from({ length: most }, (_, index) => {
      if (index >= started) return 'empty'
      return index === started - 1 ? last : 'failed'
    }),
  }
}

function durationOf(job: JobView, { clock, p95 }: RowContext): JobRow['duration'] {
  const live = (job.status === 'running' || job.stopping) && job.startedAt !== null
  const milliseconds = live ? Math.max(0, clock.now - job.startedAt!) : job.duration
  if (milliseconds === null) return null
  const usual = Object.hasOwn(p95, job.type) ? p95[job.type] : undefined
  const scale = usual === undefined ? 0 : Math.max(usual * 1.25, milliseconds)
  const share = (value: number) => Math.round((value / scale) * 1_000) / 10
  return {
    text: duration(milliseconds),
    milliseconds,
    live,
    share: scale > 0 ? share(milliseconds) : null,
    p95: scale > 0 ? share(usual!) : null,
    slow: usual !== undefined && milliseconds > usual,
  }
}

/** From when to when, in a narrow column: the second moment says its day only where that is another one. */
function spanOf(
  { status, dueAt, createdAt, startedAt, finishedAt }: JobView,
  clock: Clock
): string {
  if (status === 'scheduled' && dueAt !== null) return `${clock.short(dueAt)} due`
  if (startedAt === null) return clock.short(createdAt)
  if (finishedAt === null) return `since ${clock.short(startedAt)}`
  const isSameDay = clock.isSameDay(startedAt, finishedAt)
  const isEarlierDay = isSameDay && !clock.isSameDay(startedAt, clock.now)
  const until = isEarlierDay ? clock.hourAndMinute(finishedAt) : clock.short(finishedAt)
  return `${clock.short(startedAt)} – ${until}`
}

/**
 * Which actions a job offers now. The server decides again when one is taken.
 */
export function actionsOf(
  job: JobView,
  { urls, mayManage }: Pick<RowContext, 'urls' | 'mayManage'>
): Pick<JobRow, 'cancel' | 'restart' | 'priority' | 'delete' | 'runAgain' | 'editAndRun'> {
  const forbidden = mayManage(job) ? null : 'You may look at jobs, but not act on them'
  const view = (url: string, refusal: string | null): ActionView => ({
    url,
    allowed: (forbidden ?? refusal) === null,
    reason: forbidden ?? refusal,
  })
  const ended = isTerminal(job.status)
  const notAgain = job.stopping
    ? 'The job is being stopped: its code has not returned yet'
    : ended
      ? null
      : `The job is ${job.status}: only jobs that have ended run again`
  return {
    cancel: view(
      urls.cancel(job.id),
      job.stopping ? 'The job is being stopped' : ended ? `The job is ${job.status} already` : null
    ),
    restart: view(
      urls.restart(job.id),
      job.stopping
        ? 'The job is being stopped: its code has not returned yet'
        : job.status === 'completed'
          ? 'The job is completed: only failed and cancelled jobs restart'
          : ended
            ? null
            : `The job is ${job.status}: it has not ended`
    ),
    runAgain: view(urls.runAgain(job.id), notAgain),
    editAndRun: view(urls.editAndRun(job.id), notAgain),
    priority: view(
      urls.priority(job.id),
      job.status === 'pending' || job.status === 'scheduled'
        ? null
        : `The job is ${job.status}: only pending and scheduled jobs have a place in line`
    ),
    delete: view(
      urls.deleteJob(job.id),
      job.stopping
        ? 'The job is being stopped: its code has not returned yet'
        : ended
          ? null
          : `The job is ${job.status}: only jobs that have ended can be deleted`
    ),
  }
}
