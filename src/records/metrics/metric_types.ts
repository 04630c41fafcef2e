import type { StoredJob } from '../writer_types.ts'

/**
 * What is counted. `added`: runs that began, by a dispatch or a restart. `retried`: attempts after which the job goes on. The others:
 * runs that ended so.
 */
export const METRIC_COUNTS = ['added', 'completed', 'failed', 'cancelled', 'retried'] as const

export type MetricCount = (typeof METRIC_COUNTS)[number]

/**
 * Something to count that happened to a job, found while folding. It is written in the transaction that moves the job's record, so that
 * it counts exactly once, however often its entry is read.
 */
export type Measure = {
  job: StoredJob
  /** Moment of the stream entry, epoch ms by Redis' clock: decides the minute. */
  at: number
  /** `started`: an attempt began; it is no count, but tells how long the job waited. */
  kind: MetricCount | 'started'
  /** Whether a worker took part: `worker`, or where that is not known yet the record's own. */
  ran: boolean
  worker: string | null
  /** `started`: how long the job had been ready; else how long the attempt ran, ms. Null: nobody knows, or there is no such thing. */
  duration: number | null
  /** An attempt whose beginning is written in its own row, because it lies before this batch. */
  attempt?: { run: number; attempt: number }
}

/** CPU and memory that all workers of a host use together. */
export type HostSample = {
  host: string
  /** Share of all cores, 0 to 1. */
  cpu: number
  /** Bytes resident of all processes, and the limit that applies to them together. */
  memory: { used: number; limit: number }
}
