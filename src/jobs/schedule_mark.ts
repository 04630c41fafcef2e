import { MISSED, OVERLAPS, type ScheduleMark } from '../schedule_types.ts'
import { isUuid } from '../records/ids.ts'

/**
 * What a job says of the schedule that made it; null where that is nothing we write.
 */
export function readMark(value: unknown): ScheduleMark | null {
  if (typeof value !== 'object' || value === null) return null
  const { id, due, overlap, missed, run, manual } = value as Record<string, unknown>
  if (typeof id !== 'string' || !isUuid(id) || !Number.isSafeInteger(due)) return null
  if (!OVERLAPS.includes(overlap as never) || !MISSED.includes(missed as never)) return null
  if (run !== undefined && !(Number.isSafeInteger(run) && (run as number) > 0)) return null
  const mark = { id, due, overlap, missed } as ScheduleMark
  return {
    ...mark,
    ...(run === undefined ? undefined : { run: run as number }),
    ...(manual === true ? { manual } : undefined),
  }
}
