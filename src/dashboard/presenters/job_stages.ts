import type { AttemptView, EventView, JobDetails, Progress } from '../../types.ts'
import type { JobText } from '../redaction/job_texts.ts'
import { countedOf, countedText, unitOf } from './counted.ts'
import { count, duration } from './format.ts'
import { markOf } from './job_row.ts'
import type { Mark, StageView, TraceRow } from './types.ts'

/** More stages than these are not drawn; the timeline has all of them. */
const MOST_STAGES = 60
const FEW = 8

type Stage = {
  event: EventView
  progress: Progress
  end: number
  /** The stage in which the job is now, or ended. */
  isLast: boolean
  mark: Mark
}

/**
 * The named stages of the current run, in order.
 */
export function stagesOf(job: JobDetails, text: JobText, now: number): StageView[] {
  return stages(job, now).map(({ event, progress, end, isLast, mark }) => ({
    name: text.line(progress.stage ?? ''),
    items: isLast ? items(job.progress, text) : whole(progress, text),
    duration: duration(end - event.at),
    mark,
    attempt: event.attempt,
  }))
}

/**
 * Status, attempts and stages of the current run on one axis of time; null before anything ran.
 */
export function traceOf(
  job: JobDetails,
  text: JobText,
  now: number
): { ticks: { x: number; label: string }[]; rows: TraceRow[] } | null {
  const attempts = job.attemptList.filter(({ run }) => run === job.run)
  if (attempts.length === 0) return null
  const began = job.events.find(({ run, kind }) => run === job.run && kind === 'restarted')?.at
  const start = Math.min(
    began ?? job.createdAt,
    ...attempts.map(({ startedAt }) => startedAt ?? Infinity)
  )
  const end = Math.max(job.finishedAt ?? now, start + 1)
  const at = (moment: number) => Math.round(((moment - start) / (end - start)) * 1_000) / 10
  const span = (from: number, to: number, mark: Mark, label: string) => {
    const x = Math.min(99.5, Math.max(0, at(from)))
    return { x, width: Math.max(0.5, Math.min(100, at(to)) - x), mark, label }
  }

  const rows: TraceRow[] = [
    {
      kind: 'status',
      label: 'Status',
      sub: job.status,
      mark: markOf(job),
      duration: duration(end - start),
      spans: statusSpans(job, start, end).map(([from, to, mark]) =>
        span(from, to, mark, `${mark} for ${duration(to - from)}`)
      ),
    },
  ]
  for (const attempt of attempts) {
    const from = attempt.startedAt ?? start
    const to = attempt.finishedAt ?? (attempt.outcome === 'running' ? end : from)
    rows.push({
      kind: 'attempt',
      label: `Attempt ${attempt.attempt}`,
      sub: attempt.host ?? '',
      mark: outcomeMark(attempt.outcome),
      duration: duration(to - from),
      spans: [span(from, to, outcomeMark(attempt.outcome), attempt.outcome)],
    })
    for (const stage of stages(job, now)) {
      if (stage.event.attempt !== attempt.attempt) continue
      const name = text.line(stage.progress.stage ?? '')
      const { mark } = stage
      rows.push({
        kind: 'stage',
        label: name,
        sub: '',
        mark,
        duration: duration(stage.end - stage.event.at),
        spans: [span(stage.event.at, stage.end, mark, name)],
      })
    }
  }
  /** Of a few milliseconds, quarters would have the same name. */
  const parts = end - start < FEW ? [0, 1] : [0, 0.25, 0.5, 0.75, 1]
  const ticks = parts.map((part) => ({
    x: part * 100,
    label: part === 0 ? '0' : duration((end - start) * part),
  }))
  return { ticks, rows }
}

export function outcomeMark(outcome: AttemptView['outcome']): Mark {
  if (outcome === 'lost') return 'suspect'
  return outcome === 'handed back' ? 'pending' : outcome
}

function stages(job: JobDetails, now: number): Stage[] {
  const events = job.events.filter(({ run, kind }) => run === job.run && kind === 'stage')
  return events.slice(-MOST_STAGES).map((event, index, shown) => {
    const next = shown[index + 1]
    const attempt = job.attemptList.find(
      (one) => one.run === job.run && one.attempt === event.attempt
    )
    const ended = attempt?.finishedAt ?? job.finishedAt ?? now
    const goesOn = next !== undefined && next.attempt === event.attempt
    const isLast = next === undefined
    return {
      event,
      progress: event.detail as Progress,
      end: goesOn ? next.at : ended,
      isLast,
      mark: goesOn ? 'completed' : isLast || !attempt ? markOf(job) : outcomeMark(attempt.outcome),
    }
  })
}

function items(progress: Progress, text: JobText): string {
  const counted = countedOf(progress)
  return countedText(counted && { ...counted, unit: text.line(counted.unit) })
}

/**
 * What a stage that is over dealt with. How far it came when it began says nothing any more, and how far it came in the end is
 * not told.
 */
function whole({ total, unit = '' }: Progress, text: JobText): string {
  return total === undefined ? '' : `${count(total)} ${text.line(unitOf(unit, total))}`.trim()
}

const STATUS_OF_KIND: Record<string, Mark> = {
  'added': 'pending',
  'added again': 'pending',
  'restarted': 'pending',
  'redis restored': 'pending',
  'pending': 'pending',
  'handed back': 'pending',
  'worker lost': 'pending',
  'scheduled': 'scheduled',
  'blocked': 'blocked',
  'running': 'running',
  'stopped': 'cancelled',
}

function statusSpans(job: JobDetails, start: number, end: number): [number, number, Mark][] {
  const changes: [number, Mark][] = []
  for (const { run, kind, at } of job.events) {
    const mark = Object.hasOwn(STATUS_OF_KIND, kind) ? STATUS_OF_KIND[kind] : undefined
    if (run !== job.run || mark === undefined || mark === changes.at(-1)?.[1]) continue
    changes.push([Math.max(at, start), mark])
  }
  if (changes.length === 0) return [[start, end, markOf(job)]]
  /** Redis' clock and the dispatcher's may differ by a little: nothing was before the first status. */
  return changes.map(([from, mark], index) => [
    index === 0 ? start : from,
    changes[index + 1]?.[0] ?? end,
    mark,
  ])
}
