import type { WaitingReason } from '../../transport/limits.ts'
import { count } from './format.ts'

/**
 * Where nothing more is known of why a job waits: Redis is away, or the job has begun and its record follows, or the limit that held
 * it back has room again and others come first.
 */
export const UNKNOWN_REASON = 'waits for its turn'

/**
 * Why a job does not run yet, with words for people: `user limit 3/3`, `waits for 2 jobs`.
 */
export function waitingView(reason: WaitingReason): WaitingReason & { text: string } {
  return { ...reason, text: textOf(reason) }
}

function textOf({ kind, running, limit }: WaitingReason): string {
  if (kind === 'paused') return 'queue is paused'
  if (kind === 'jobs') return `waits for ${count(running)} ${running === 1 ? 'job' : 'jobs'}`
  /** A limit that was just lifted holds nobody back any more. */
  if (kind === 'workers' || limit === null) return 'waiting for a worker'
  if (running < limit) return UNKNOWN_REASON
  return `${kind} limit ${count(running)}/${count(limit)}`
}
