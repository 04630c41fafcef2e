import type { JobQuery } from '../records/job_query.ts'
import type { Reader } from '../records/reader.ts'
import type { Histogram } from '../records/reader_types.ts'

const MINUTE = 60_000

/** Shorter times that a chart may cover, ms. */
const SPANS = [2, 5, 10, 30, 60, 180, 360, 720].map((minutes) => minutes * MINUTE)

const MOST_LOOKS = 3

export type ChartRange = { from: number; to: number; bars: number }

/**
 * Jobs of a query over the last while: as long as there is anything to see and no longer than the range. A day's chart of jobs
 * that all came in its last minute would be one bar at its edge.
 */
export async function recentHistogram(
  reader: Pick<Reader, 'histogram'>,
  query: JobQuery,
  range: ChartRange
): Promise<Histogram> {
  let shown = await reader.histogram(query, range)
  /** Where all is within one bar, only the closer look tells how young it is: each look is closer than the one before. */
  for (let look = 0; look < MOST_LOOKS; look++) {
    const first = shown.bars.find(({ total }) => total > 0)
    if (!first) return shown
    const age = range.to - first.at
    const span = SPANS.find((length) => length > age * 1.1 && length * 2 <= shown.to - shown.from)
    if (span === undefined) return shown
    const near = await reader.histogram(query, { ...range, from: range.to - span })
    /** So short a time cannot be told apart when there are many jobs. */
    if (near.bars.length * 2 < range.bars) return shown
    shown = near
  }
  return shown
}
