import { InvalidInputException } from '../errors.ts'
import type { Duration } from '../types.ts'
import { toMilliseconds } from '../durations.ts'
import { Cron } from './cron.ts'
import type { Timing, TimingInput } from './types.ts'
import { durationWords, oftenWords } from './words.ts'
import { shown } from '../shown.ts'

/** Shortest interval: the tick that keeps the next runs looks once a second. */
const SHORTEST = 1_000

/** Longest interval, ms: ten years. */
const LONGEST = 3_650 * 86_400_000

/**
 * Checks when a schedule is to be due.
 *
 * @throws InvalidInputException with the field `cron`, `zone` or `every`
 */
export function readTiming(input: TimingInput): Timing {
  return 'every' in input
    ? new Interval(readInterval(input.every))
    : new Cron(input.cron, input.zone)
}

/**
 * The next moments, at most so many: fewer where no more will come.
 */
export function nextMoments(timing: Timing, after: number, count: number): number[] {
  const moments: number[] = []
  let last: number | null = after
  while (moments.length < count && (last = timing.next(last)) !== null) moments.push(last)
  return moments
}

/**
 * Every so many milliseconds, counted from 1970-01-01T00:00Z: the same in every process, and after every restart.
 */
class Interval implements Timing {
  readonly words: string

  readonly often: string | null

  constructor(private milliseconds: number) {
    this.words = `Every ${durationWords(milliseconds)}`
    this.often = oftenWords(milliseconds)
  }

  next(after: number): number {
    return (Math.floor(after / this.milliseconds) + 1) * this.milliseconds
  }
}

function readInterval(every: Duration): number {
  let milliseconds: number
  try {
    milliseconds = toMilliseconds(every, 'every')
  } catch (error) {
    throw new InvalidInputException((error as Error).message, 'every', {
      code: 'E_INVALID_DURATION',
    })
  }
  if (milliseconds < SHORTEST || milliseconds > LONGEST) {
    throw new InvalidInputException(
      `"every" must be from 1s to 3650d, not "${shown(every, 60)}"`,
      'every'
    )
  }
  return milliseconds
}
