import { type Clock, systemClock } from './long_timer.ts'

/** What `within` answers when the time is over. */
export const LATE = Symbol('late')

/**
 * What the promise comes to, or LATE when it takes longer than this, ms. What is late goes on, and may fail without being heard. The timer
 * ends with the promise, so it keeps no process.
 *
 * @throws what the promise fails with in time
 */
export async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
  clock: Clock = systemClock
): Promise<T | typeof LATE> {
  let timer: unknown
  const late = new Promise<typeof LATE>((resolve) => {
    timer = clock.setTimeout(() => resolve(LATE), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clock.clearTimeout(timer)
  }
}
