import { type Clock, systemClock } from '../../../src/time/long_timer.ts'

/**
 * The clock of this process, but what is to last exactly so long, ms, is over at once.
 */
export function hurriedClock(longest: number): Clock {
  return {
    ...systemClock,
    setTimeout: (callback, milliseconds) =>
      systemClock.setTimeout(callback, milliseconds === longest ? 50 : milliseconds),
  }
}
