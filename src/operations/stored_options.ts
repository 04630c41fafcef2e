import type { JobDetails } from '../types.ts'
import { readMark } from '../jobs/schedule_mark.ts'
import { readAttempts } from '../mirror/job_facts.ts'
import type { NewTransportJob } from '../transport/types.ts'

type Options = Omit<NewTransportJob['opts'], 'timestamp' | 'delay' | 'priority'>

/**
 * What a job that is made of a record takes over from the record's options: how often it is tried, and what is ours. Delays have been,
 * the priority may have changed, and a place in another producer's flow or schedule cannot be had twice. A job of one of our schedules is
 * one that somebody asked for.
 */
export function storedOptions(text: string | null): Options {
  const { attempts, backoff, lifo, qd } = object(text === null ? {} : parse(text))
  const { by: who, at: due, again: of, schedule, ...more } = object(qd)
  const mark = readMark(schedule)
  const own = {
    ...more,
    ...(mark === null ? undefined : { schedule: { ...mark, manual: true as const } }),
  }
  const tries = readAttempts(attempts)
  return {
    ...(tries === null ? undefined : { attempts: tries }),
    ...(backoff === undefined ? undefined : { backoff }),
    ...(lifo === true ? { lifo } : undefined),
    ...(Object.keys(own).length === 0 ? undefined : { qd: own }),
  }
}

/**
 * Why a record's payload cannot run again; null where it can. JSON never ends with the mark of what was cut.
 */
export function payloadRefusal(payload: string | null): string | null {
  if (payload === null) return 'The record holds no payload to run again with'
  return payload.endsWith('…')
    ? 'The record holds only the beginning of the payload: the database takes no longer texts'
    : null
}

/**
 * When a job was due by its dispatch, epoch ms; null when it was at once.
 */
export function dueByOptions({
  options,
  createdAt,
}: Pick<JobDetails, 'options' | 'createdAt'>): number | null {
  const { delay, qd } = object(options === null ? {} : parse(options))
  const { at } = object(qd)
  if (Number.isSafeInteger(at)) return at as number
  return Number.isSafeInteger(delay) && (delay as number) > 0 ? createdAt + (delay as number) : null
}

/**
 * The key of a job's parent in a flow of plain BullMQ; null for a job that is in none.
 */
export function parentKey(options: string | null): string | null {
  const { id, queue } = object(object(options === null ? {} : parse(options)).parent)
  return typeof id === 'string' && typeof queue === 'string' ? `${queue}:${id}` : null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}
