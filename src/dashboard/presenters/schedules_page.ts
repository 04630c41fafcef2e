import { nextMoments, readTiming } from '../../cron/timing.ts'
import type { Timing } from '../../cron/types.ts'
import { nextRuns } from '../../operations/schedules.ts'
import type { Schedule, ScheduleRun } from '../../schedule_types.ts'
import { timingOf } from '../../schedules/timings.ts'
import type { JobView } from '../../types.ts'
import type { DashboardUrls } from '../urls.ts'
import type { Clock } from './format.ts'
import { stateOf, troubleOf, type ScheduleState } from './schedule_json.ts'
import type { ActionView, CodeBlock, Mark, Moment } from './types.ts'

/** One schedule, ready to print. */
export type ScheduleRow = {
  id: string
  name: string
  url: string
  mark: Mark
  state: ScheduleState
  /** `At 03:00 every day, Europe/Berlin` */
  words: string
  expression: string
  type: string
  queue: string
  queueUrl: string
  overlap: string
  missed: string
  /** `in code`, or who made it. */
  origin: string
  note: string | null
  next: Moment | null
  last: RunItem | null
  pause: ActionView & { label: string }
  run: ActionView
  edit: ActionView
  delete: ActionView
}

export type RunItem = {
  id: string
  due: Moment
  mark: Mark
  word: string
  detail: string
  url: string | null
  started: Moment | null
}

export type CalendarDay = { label: string; text: string; mark: Mark | null; title: string }

export type SchedulePage = ScheduleRow & {
  nextRuns: Moment[]
  runs: RunItem[]
  days: CalendarDay[]
  /** From when the days are counted, where that is not two weeks ago. */
  daysSince: Moment | null
  payload: CodeBlock | null
  changed: { at: Moment; by: string }
}

export type Preview = {
  words: string | null
  often: string | null
  error: string | null
  moments: { at: Moment; inZone: string | null }[]
}

const OVERLAP_WORDS = {
  skip: 'A run is left out while an earlier one has not ended',
  queue: 'A run waits for the end of an earlier one',
}
const MISSED_WORDS = {
  skip: 'Runs missed while everything was down are skipped',
  once: 'One run makes up for those missed while everything was down',
}

const MARKS: Record<ScheduleState, Mark> = {
  'active': 'scheduled',
  'paused': 'pending',
  'not in code': 'suspect',
  'cannot be read': 'suspect',
}

const NOT_ALLOWED = 'You may look, but not act'
const IN_CODE = 'Its definition stands in the code: change it there'

/** Days of the calendar, and moments that are counted for it. */
export const CALENDAR_DAYS = 14
const MOST_COUNTED = 350
const DAY = 86_400_000

type Context = { urls: DashboardUrls; clock: Clock; manage: boolean }

export function scheduleRow(
  schedule: Schedule,
  last: { run: ScheduleRun; job: JobView | undefined } | null,
  { urls, clock, manage }: Context
): ScheduleRow {
  const { id, name, type, queue, cron, zone, paused, withdrawn, origin } = schedule
  const isCode = origin === 'code'
  const action = (url: string, refusal: string | null = null): ActionView => {
    const reason = manage ? refusal : NOT_ALLOWED
    return { url, allowed: reason === null, reason }
  }
  const timing = timingOf(schedule)
  const [next] = nextRuns(schedule, clock.now, 1)
  const state = stateOf(schedule)
  return {
    ...{ id, name, type, queue },
    url: urls.schedule(id),
    queueUrl: urls.queue(queue),
    mark: MARKS[state],
    state,
    words: zone === null ? timing.words : `${timing.words}, ${zone}`,
    expression: cron ?? timing.words.toLowerCase(),
    overlap: OVERLAP_WORDS[schedule.overlap],
    missed: MISSED_WORDS[schedule.missed],
    origin: isCode ? 'in code' : schedule.createdBy,
    note: troubleOf(schedule),
    next: clock.maybe(next ?? null),
    last: last && runItem(last.run, last.job, { urls, clock }),
    pause: {
      ...action(urls.scheduleAction(id, paused ? 'resume' : 'pause')),
      label: paused ? 'Resume' : 'Pause',
    },
    run: action(urls.scheduleAction(id, 'run')),
    edit: action(urls.scheduleAction(id, 'edit'), isCode ? IN_CODE : null),
    delete: action(urls.scheduleAction(id, 'delete'), isCode && !withdrawn ? IN_CODE : null),
  }
}

export function runItem(
  run: ScheduleRun,
  job: JobView | undefined,
  { urls, clock }: Pick<Context, 'urls' | 'clock'>
): RunItem {
  /** Nothing can be opened while there is no record, or none any more. */
  const url = job ? urls.job(job.id) : null
  const base = { id: `${run.due}-${run.generation}`, due: clock.moment(run.due), url }
  if (run.kind === 'missed') {
    const detail = 'its time passed while nothing was there to start it'
    return { ...base, mark: 'suspect', word: 'missed', detail, started: null }
  }
  const asked = run.kind === 'manual' ? 'asked for by hand' : ''
  if (!job) {
    const isAhead = run.due > clock.now
    const [mark, word] = isAhead
      ? (['scheduled', 'planned'] as const)
      : (['pending', 'made'] as const)
    return { ...base, mark, word, detail: asked || 'no record', started: null }
  }
  const isLeftOut = job.error?.code === 'SCHEDULE_OVERLAP' || job.error?.code === 'SCHEDULE_MISSED'
  const late = job.startedAt === null ? 0 : job.startedAt - run.due
  const detail = isLeftOut || job.error ? (job.error?.message ?? '') : asked
  return {
    ...base,
    mark: isLeftOut ? 'pending' : job.status,
    word: isLeftOut ? 'left out' : job.status,
    detail: detail || (late > 60_000 ? 'started late' : ''),
    started: clock.maybe(isLeftOut ? null : job.startedAt),
  }
}

/**
 * Expected and actual runs by day, in the viewer's zone. Schedules that are due often are counted for as long as few moments allow.
 */
export function calendar(
  schedule: Schedule,
  runs: { run: ScheduleRun; job: JobView | undefined }[],
  clock: Clock
): Pick<SchedulePage, 'days' | 'daysSince'> {
  const timing = timingOf(schedule)
  const since = Math.max(clock.now - CALENDAR_DAYS * DAY, schedule.changedAt)
  const from = Math.max(since, clock.now - MOST_COUNTED * spacing(timing, clock.now))
  const expected = nextMoments(timing, from, MOST_COUNTED + 50).filter((at) => at <= clock.now)
  const dayOf = (at: number) => clock.moment(at).exact.slice(0, 10)
  const days = new Map<string, { expected: number; ran: number; failed: number }>()
  const count = (at: number, key: 'expected' | 'ran' | 'failed') => {
    const day = dayOf(at)
    const counts = days.get(day) ?? { expected: 0, ran: 0, failed: 0 }
    counts[key]++
    days.set(day, counts)
  }
  /** How those went that have no record any more nobody knows. */
  const gone = new Set(runs.flatMap(({ run, job }) => (run.jobId && !job ? [run.due] : [])))
  if (!schedule.paused) {
    expected.filter((at) => !gone.has(at)).forEach((at) => count(at, 'expected'))
  }
  for (const { run, job } of runs) {
    if (run.due <= from || run.due > clock.now || run.kind !== 'planned' || !job?.startedAt)
      continue
    if (job.error?.code?.startsWith('SCHEDULE_')) continue
    count(run.due, 'ran')
    if (job.status === 'failed') count(run.due, 'failed')
  }
  return {
    daysSince: from > clock.now - CALENDAR_DAYS * DAY + 60_000 ? clock.moment(from) : null,
    days: [...days]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([day, counts]) => {
        const { expected: due, ran, failed } = counts
        const mark = failed > 0 ? 'failed' : ran < due ? 'suspect' : 'completed'
        return {
          ...{ label: day.slice(5), mark, text: `${ran} of ${Math.max(due, ran)}` },
          title: `${day}: ${ran} of ${Math.max(due, ran)} runs${failed > 0 ? `, ${failed} failed` : ''}`,
        }
      }),
  }
}

/** What the form says while it is filled in. */
export function schedulePreview(
  input: { cron?: string; zone?: string; every?: string },
  clock: Clock
): Preview {
  const none: Preview = { words: null, often: null, error: null, moments: [] }
  const { cron, zone, every } = input
  if (!cron && !every) return none
  if (cron && every) return { ...none, error: 'Give a cron expression or an interval, not both' }
  try {
    const timing = readTiming(cron ? { cron, zone: zone || 'UTC' } : { every: every! })
    const there = cron && zone && zone !== clock.zone ? zone : null
    return {
      words: timing.words,
      often: timing.often,
      error: null,
      moments: nextMoments(timing, clock.now, 5).map((at) => ({
        at: clock.moment(at),
        inZone: there === null ? null : inZone(at, there),
      })),
    }
  } catch (error) {
    return { ...none, error: (error as Error).message }
  }
}

function inZone(at: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
  })
  return `${format.format(at)} ${timeZone}`
}

function spacing(timing: Timing, now: number): number {
  const [first, second] = nextMoments(timing, now, 2)
  return second === undefined ? DAY : second - first
}
