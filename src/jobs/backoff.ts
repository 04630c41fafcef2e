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
 * The longest wait between two attempts, ms: ten years. Other producers may write any number.
 */
const LONGEST = 315_576_000_000

/**
 * Reads a backoff that anybody may have written, in our words or in BullMQ's; undefined where it is none.
 */
export function readBackoff(value: unknown): ResolvedBackoff | undefined {
  if (typeof value === 'number') {
    return { type: 'fixed', delay: Math.max(0, value) }
  }
  const { type, delay, max, jitter } = (value ?? {}) as Record<string, unknown>
  if (type !== 'fixed' && type !== 'exponential') {
    return undefined
  }
  return {
    type,
    delay: Math.max(0, Number(delay) || 0),
    ...(typeof max === 'number' && max >= 0 ? { max } : undefined),
    jitter: Math.min(1, Math.max(0, Number(jitter) || 0)),
  }
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
  const full = Math.min(backoff.delay * growth, backoff.max ?? LONGEST, LONGEST)
  return Math.round(full * (1 - (backoff.jitter ?? 0) * random()))
}
