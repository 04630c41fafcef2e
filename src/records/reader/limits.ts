import type { DialectName } from '../dialect/names.ts'

/**
 * How much a question may look at. Tests make them small, to reach with thousands of jobs what otherwise takes millions.
 */
export type Limits = {
  /** The highest exact count of what no counter knows. */
  exact: number
  /** Fewer candidates than this are simply sorted. */
  few: number
  /** Candidates of one statement of a search, at most: no statement is given up once it runs. */
  piece: number
  /** A search for rare matches always passes this many candidates, */
  passed: number
  /** and goes on until it has taken this long (milliseconds). */
  time: number
  /** Candidates that are looked at for the sake of a count, */
  counted: number
  /** and for all facets together, or bars, that no counter knows. */
  sampled: number
}

const LIMITS: Limits = {
  exact: 10_000,
  few: 10_000,
  piece: 3_000,
  passed: 2_000,
  time: 20,
  counted: 4_000,
  sampled: 6_000,
}

/**
 * The limits for a database. InnoDB goes through a second tree for each candidate, and where its own memory does not hold that it
 * reads from the disk itself: fifty times as long as the others in the worst case.
 */
export function limitsOf(dialect: DialectName): Limits {
  if (dialect !== 'mysql') return LIMITS
  return {
    ...LIMITS,
    few: 6_000,
    piece: 800,
    passed: 800,
    time: 30,
    counted: 3_000,
    sampled: 4_000,
  }
}
