import { timingOf } from '../../schedules/timings.ts'
import { nextRuns } from '../../operations/schedules.ts'
import type { Schedule, ScheduleRun } from '../../schedule_types.ts'
import type { JobView } from '../../types.ts'
import { JsonText } from '../redaction/json_text.ts'
import { errorJson, iso } from './job_json.ts'
import { type ScheduleTexts, shownPayload } from './schedule_payload.ts'

/** A schedule as programs get it, its payload without secrets. */
export async function scheduleJson(schedule: Schedule, texts: ScheduleTexts, now: number) {
  const { id, name, type, queue, options, cron, zone, every, overlap, missed } = schedule
  return {
    ...{ id, name, type, queue },
    payload: new JsonText((await shownPayload(schedule, texts)).text),
    ...{ options, cron, zone, every, overlap, missed },
    words: timingOf(schedule).words,
    state: stateOf(schedule),
    origin: schedule.origin,
    next: nextRuns(schedule, now, 5).map(iso),
    createdAt: iso(schedule.createdAt),
    createdBy: schedule.createdBy,
    changedAt: iso(schedule.changedAt),
    changedBy: schedule.changedBy,
  }
}

/** A moment of a schedule as programs get it. */
export function scheduleRunJson({ due, kind, jobId }: ScheduleRun, job: JobView | undefined) {
  return {
    due: iso(due),
    kind: kind.replaceAll(' ', '_'),
    job: job
      ? {
          ...{ id: job.id, status: job.status, error: errorJson(job.error) },
          startedAt: iso(job.startedAt),
          finishedAt: iso(job.finishedAt),
        }
      : jobId === null
        ? null
        : { id: jobId, status: null, error: null, startedAt: null, finishedAt: null },
  }
}

export type ScheduleState = 'active' | 'paused' | 'not in code' | 'cannot be read'

/** One that cannot be read makes no runs, so that it is not active, and resuming it would not help. */
export function stateOf(schedule: Schedule): ScheduleState {
  if (schedule.withdrawn) return 'not in code'
  if (timingOf(schedule).unreadable !== undefined) return 'cannot be read'
  return schedule.paused ? 'paused' : 'active'
}

/**
 * Why a schedule makes no runs though nobody paused it, and how to mend that; null where neither is so.
 */
export function troubleOf(schedule: Schedule): string | null {
  if (schedule.withdrawn) return 'No running process defines it any more: it makes no runs'
  const { unreadable } = timingOf(schedule)
  if (unreadable === undefined) return null
  const remedy =
    schedule.origin === 'code'
      ? 'Change its definition in the code and start the application again'
      : 'Edit it, or delete it'
  return `It cannot be read here and makes no runs: ${unreadable}. ${remedy}`
}
