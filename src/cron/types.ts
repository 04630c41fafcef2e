import type { Duration } from '../types.ts'

/**
 * When a schedule is due, as people and code say it: a cron expression, in UTC or a zone's own time, or an interval.
 */
export type TimingInput = { cron: string; zone?: string | undefined } | { every: Duration }

/**
 * When a schedule is due: the one engine of previews and runs. Moments are epoch milliseconds.
 */
export interface Timing {
  /** The first moment after this one; null when none will ever come. */
  next(after: number): number | null

  /** In words, without the zone: `At 03:00 every day`. */
  readonly words: string

  /** Says so when it is due more often than every ten seconds; null otherwise. */
  readonly often: string | null

  /** Why this process cannot tell when it is due, as a sentence: it is never due here then. */
  readonly unreadable?: string
}
