import { waitingOf } from '../operations/waiting.ts'
import type { WaitingReason } from '../transport/limits.ts'
import type { Transport } from '../transport/transport.ts'
import type { JobView } from '../types.ts'

/**
 * Why pending jobs wait, by id; null when Redis does not answer: records can be shown all the same.
 */
export async function waitingOrNull(
  transport: Transport,
  jobs: JobView[]
): Promise<Map<string, WaitingReason> | null> {
  try {
    return await waitingOf(transport, jobs)
  } catch (error) {
    if ((error as { code?: string }).code === 'E_REDIS_UNAVAILABLE') return null
    throw error
  }
}

/** Said to people instead of reasons. */
export const REASONS_UNKNOWN = 'Redis does not answer: why jobs wait is not known'
