import type { Db } from '../dialect/db.ts'
import type { MetricRange } from './metrics_reader.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const MINUTES_PER_HOUR = 60

/** A range in whole steps, all in milliseconds, and which of the tables it is read from. */
export type Span = { from: number; to: number; step: number; unit: 'minute' | 'hour' }

/** Slots of a table: `first` up to but without `end`. */
export type SlotRange = { first: number; end: number }

/** Lengths that people read well, all of which divide a day or are whole days. */
const STEPS = [1, 2, 5, 10, 15, 30]
  .map((count) => count * MINUTE)
  .concat([1, 2, 3, 6, 12, 24, 48, 168, 720].map((count) => count * HOUR))

/** Points of a series without a step of its own, at most. */
const POINTS = 130

/** Points of any series. */
const MOST_POINTS = 20_000

/**
 * @throws RangeError for a step that is no whole number of minutes, or a range that has too many steps
 */
export function spanOf({ from, to, step }: MetricRange): Span {
  const length = step ?? STEPS.find((each) => (to - from) / each <= POINTS) ?? STEPS.at(-1)!
  if (!(length > 0) || length % MINUTE !== 0) throw new RangeError('A step is whole minutes')
  const start = Math.floor(from / length) * length
  const end = Math.max(start + length, Math.ceil(to / length) * length)
  if (!((end - start) / length <= MOST_POINTS)) throw new RangeError('The range has too many steps')
  return { from: start, to: end, step: length, unit: length % HOUR === 0 ? 'hour' : 'minute' }
}

export function slotsOf({ from, to }: Span, length: number): SlotRange {
  return { first: Math.floor(from / length), end: Math.ceil(to / length) }
}

/**
 * Hours whose minutes have to be read, because they changed since they were summed up. `replaced`: those of which nothing else counts;
 * the minutes of the others come on top, since theirs of before are deleted.
 */
export async function unsummedHours(
  db: Db,
  { first, end }: SlotRange
): Promise<{ hours: number[]; replaced: Set<number> }> {
  const [sealed, rows] = await Promise.all([
    sealedUntil(db),
    db.all('select hour from queuedeck_metrics_open where hour >= ? and hour < ? order by hour', [
      first,
      end,
    ]),
  ])
  const hours = rows.map(({ hour }) => Number(hour))
  return { hours, replaced: new Set(hours.filter((hour) => hour >= sealed)) }
}

/** Hours below have no minutes any more but those that came late. */
export async function sealedUntil(db: Pick<Db, 'all'>): Promise<number> {
  const [row] = await db.all(`select value from queuedeck_meta where name = 'metrics'`)
  return row ? Number(row.value) : 0
}
