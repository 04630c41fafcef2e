/**
 * One figure of a bench, with the limit it has to keep where it has one.
 */
export type Measure = {
  name: string
  value: number
  unit?: string
  floor?: number
  ceiling?: number
  note?: string
}

/** Everything a bench found; printed as one JSON object. */
export type BenchResult = { measures: Measure[]; notes?: string[] }

export type BenchOptions = {
  /** Rounds asked for on the command line. */
  rounds?: number
  /** Any further `--name=value` of the command line. */
  others: Record<string, string | boolean>
  /** Tells how it goes; silent with `--json`. */
  tell(text: string): void
}

export type Bench = (options: BenchOptions) => Promise<BenchResult>
