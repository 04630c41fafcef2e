import { isUuid, recordId } from '../../records/ids.ts'
import type { UniqueOption } from '../../transport/types.ts'
import type { EventView } from '../../types.ts'

/**
 * The job that this one runs again; null when it runs none.
 */
export function againOf(options: string | null): string | null {
  if (!options?.includes('"again":')) return null
  try {
    const { queue, id } = JSON.parse(options).qd.again
    return typeof queue === 'string' && typeof id === 'string' ? recordId(queue, id) : null
  } catch {
    return null
  }
}

/** The jobs that run this one again, oldest first. */
export function ranAgainAs(events: EventView[]): string[] {
  return events.flatMap(({ kind, detail }) => {
    const { job } = (kind === 'run again' ? (detail ?? {}) : {}) as { job?: unknown }
    return typeof job === 'string' && isUuid(job) ? [job] : []
  })
}

/**
 * What a job has to itself, from its options as they were stored; null where they say nothing that is one.
 */
export function uniqueOf(options: string | null): UniqueOption | null {
  if (!options?.includes('"unique":')) return null
  try {
    const { key, until } = JSON.parse(options).qd.unique
    const isUntil = until === 'started' || until === 'finished' || Number.isSafeInteger(until)
    return typeof key === 'string' && isUntil ? { key, until } : null
  } catch {
    return null
  }
}
