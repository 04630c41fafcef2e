import type { Duration } from './dispatch_types.ts'

/**
 * How long metrics are kept, as a host configures it.
 */
export type KeptMetricsConfig = {
  /** By minute. Default `90d`, at least `1h`. */
  minutes?: Duration
  /** By hour. Default `730d`. */
  hours?: Duration
}

/**
 * How long things are kept, milliseconds; null is for ever.
 */
export type KeptClocks = {
  completed: number
  cancelled: number
  failed: number
  atStart: number
  results: number
  claims: number
  records: { completed: number | null; failed: number | null; cancelled: number | null }
  details: number | null
  cleanups: number
  alerts: number
  audit: number | null
  metrics: { minutes: number; hours: number }
}
