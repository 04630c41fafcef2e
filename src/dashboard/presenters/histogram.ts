import type { Histogram as CountedBars } from '../../records/reader_types.ts'
import { roughDuration, type Clock } from './format.ts'
import type { Histogram } from './types.ts'

const MOST_TICKS = 6

/**
 * Bars over time for display.
 *
 * @param urlOf  The list of exactly one bar.
 * @param chosen  The range that is filtered by; null ends are open.
 */
export function histogram(
  { from, to, step, bars }: CountedBars,
  clock: Clock,
  urlOf: (from: number, to: number) => string,
  chosen: { from: number | null; to: number | null } = { from: null, to: null }
): Histogram {
  const peak = Math.max(0, ...bars.map(({ total }) => total))
  const height = (value: number) => (peak === 0 ? 0 : Math.round((value / peak) * 1_000) / 10)
  return {
    from: clock.moment(from),
    to: clock.moment(to),
    step: roughDuration(step),
    span: roughDuration(to - from),
    peak,
    bars: bars.map(({ at, total, failed }) => ({
      from: clock.moment(at),
      to: clock.moment(at + step),
      total,
      failed,
      height: height(total),
      failedHeight: height(failed),
      inRange:
        (chosen.from === null || at + step > chosen.from) && (chosen.to === null || at < chosen.to),
      url: urlOf(at, at + step),
    })),
    ticks: ticksOf(bars.length, from, to, clock),
  }
}

function ticksOf(bars: number, from: number, to: number, clock: Clock): Histogram['ticks'] {
  if (bars === 0) return []
  const days = to - from > 2 * 86_400_000
  const seconds = to - from < MOST_TICKS * 60_000
  return Array.from({ length: MOST_TICKS }, (_, index) => {
    const at = from + ((to - from) * index) / MOST_TICKS
    return {
      x: Math.round((index / MOST_TICKS) * 1_000) / 10,
      label: days ? clock.day(at).slice(5) : seconds ? clock.time(at) : clock.hourAndMinute(at),
    }
  })
}
