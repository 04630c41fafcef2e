import type { JobStatus } from '../statuses.ts'
import type { JobView, LogLine } from '../types.ts'

/**
 * One keyset page. `next` and `previous` are opaque cursors for `JobQuery`; null where there is nothing.
 */
export type JobPage = {
  rows: JobView[]
  next: string | null
  previous: string | null
  count: Count
  /** The filter is served from the newest matches only, because no index answers it exactly; the page must say so. */
  bounded: boolean
}

/** How many match; `capped` means "at least". */
export type Count = { value: number; capped: boolean }

export type FacetName = 'status' | 'queue' | 'type' | 'user' | 'host' | 'tag'

/**
 * Values of one facet, most frequent first. An exact facet leaves its own filter out, so that other values can be
 * picked; a sampled one counts among the newest matches only.
 */
export type Facet = { values: { name: string; count: number }[]; sampled: boolean }

export type Facets = Record<FacetName, Facet>

/**
 * Jobs by moment of creation. `at` is the start of a bar, `step` its length in milliseconds.
 */
export type Histogram = {
  from: number
  to: number
  step: number
  bars: { at: number; total: number; failed: number }[]
  /** Counted among the newest matches only. */
  sampled: boolean
}

/**
 * Log lines, oldest first; `next` continues.
 */
export type LogPage = { lines: LogLine[]; next: string | null }

export type Body = { payload: string | null; options: string | null; result: string | null }

export type StatusCounts = Record<JobStatus, number>

/** Kinds of names that completion knows. */
export type NameKind = 'type' | 'queue' | 'user' | 'host' | 'tag'

/*
 * The reader (src/records/reader.ts, `records.reader`), all methods asynchronous:
 *
 *   find(id): JobDetails | null                          one job with attempts, events and runs
 *   page(query: JobQuery): JobPage
 *   rowsById(ids: string[]): JobView[]                   in the order of `ids`, unknown ones left out
 *   neighbours(id): { newer, older }                     ids of the jobs beside one by creation, or null
 *   count(query): Count
 *   counts(): StatusCounts                               all jobs by status, from counters
 *   facets(query): Facets
 *   histogram(query, { from, to, bars }): Histogram
 *   logs(id, { run?, limit?, cursor? }): LogPage
 *   body(id): Body | null
 *   runningNow(limit): JobView[]
 *   names(kind, prefix, limit): string[]                 completion, without case
 *   p95(types: string[]): Record<type, milliseconds>     of the newest completed ones
 */
