/**
 * The largest delay that the platform's timers hold: 2^31 - 1 ms, about 24.8 days. Anything longer fires at once.
 */
export const LONGEST_DELAY = 2_147_483_647

/**
 * What timers need of the outside, so that tests bring their own.
 */
export type Clock = {
  now(): number
  setTimeout(callback: () => void, milliseconds: number): unknown
  clearTimeout(timer: unknown): void
}

/**
 * The clock of this process. `now` never jumps when somebody sets the machine's time.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

/**
 * Calls back once after a duration of any length, in steps that the platform's timers can hold.
 *
 * @returns a function that stops the timer
 */
export function after(
  milliseconds: number,
  callback: () => void,
  clock: Clock = systemClock
): () => void {
  const due = clock.now() + milliseconds
  let timer: unknown

  const step = () => {
    const left = due - clock.now()
    if (left <= LONGEST_DELAY) {
      timer = clock.setTimeout(callback, Math.max(0, Math.ceil(left)))
    } else {
      timer = clock.setTimeout(step, LONGEST_DELAY)
    }
  }

  step()
  return () => clock.clearTimeout(timer)
}
