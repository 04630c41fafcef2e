/**
 * A backoff with durations in milliseconds, as dispatches hand it to the worker.
 */
export type ResolvedBackoff = {
  type: 'exponential' | 'fixed'
  delay: number
  max?: number
  jitter?: number
}

/**
 * For jobs with several attempts that say nothing about the waits between them.
 */
export const DEFAULT_BACKOFF: Required<ResolvedBackoff> = {
  type: 'exponential',
  delay: 1_000,
  max: 3_600_000,
  jitter: 0.5,
}

/**
 * How long to wait after the given number of failed attempts, ms. Jitter takes off a random share, so a wait is never longer
 * than it says.
 *
 * @param random gives 0 up to 1
 */
export function backoffDelay(
  backoff: ResolvedBackoff,
  failedAttempts: number,
  random: () => number = Math.random
): number {
  const growth =
    backoff.type === 'exponential' ? 2 ** Math.min(Math.max(0, failedAttempts - 1), 60) : 1
  const full = Math.min(backoff.delay * growth, backoff.max ?? Number.MAX_SAFE_INTEGER)
  return Math.round(full * (1 - (backoff.jitter ?? 0) * random()))
}
