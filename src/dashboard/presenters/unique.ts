import type { UniqueOption } from '../../transport/types.ts'

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
