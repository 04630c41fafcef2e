/**
 * How much a question may look at. Tests make them small, to reach with thousands of jobs what otherwise takes millions.
 */
export type Limits = {
  /** Fewer candidates than this are simply sorted; also the highest exact count of what no counter knows. */
  few: number
  /** A search for rare matches always passes this many candidates, */
  passed: number
  /** and goes on until it has taken this long (milliseconds). */
  time: number
  /** Candidates that are looked at for the sake of a count. */
  counted: number
}

export const LIMITS: Limits = { few: 10_000, passed: 2_000, time: 25, counted: 4_000 }
