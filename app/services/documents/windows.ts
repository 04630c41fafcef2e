import type { Units } from './units.ts'

/** Two offsets, or two numbers of units; the end is exclusive. */
export type Range = [from: number, to: number]

export type WindowOptions = {
  size: number
  overlap: number
  /** Units that are not parted where they fit into one window; ascending. */
  whole: Range[]
  /** Borders that are better than others, as numbers of units, ascending; any border is as good as another where there are none. */
  better: number[]
}

/**
 * Overlapping windows over units, each within the size or a single unit, and each with something new.
 */
export function* windowsOf(units: Units, options: WindowOptions): Generator<Range> {
  const { length } = units
  let start = 0
  let covered = 0
  while (covered < length) {
    let end = fill(units, start, options)
    if (end <= covered) {
      /** The overlap leaves no room for what comes next. */
      start = covered
      end = fill(units, start, options)
    }
    yield [start, end]
    covered = end
    start = overlapOf(units, start, end, options)
  }
}

/** End of the window that begins at `start`: at least one unit, and not inside of what stays whole. */
function fill(units: Units, start: number, { size, whole, better }: WindowOptions): number {
  let end = Math.max(start + 1, units.fill(start, size))
  while (end - start > 1 && units.count(start, end) > size) end--
  if (end < units.length) {
    const border = last(better, end)
    /** Half a window at least, or one bad border would make many small ones. */
    if (border !== undefined && 2 * units.weight(start, border) >= size) end = border
  }
  const fence = around(whole, end)
  return fence !== undefined && fence[0] > start ? fence[0] : end
}

/** Where the next window begins: behind `start`, sharing at most the overlap. */
function overlapOf(units: Units, start: number, end: number, options: WindowOptions): number {
  if (options.overlap === 0) return end
  let from = Math.min(end, Math.max(start + 1, units.fillBack(end, options.overlap)))
  const border = options.better[after(options.better, from)]
  if (border !== undefined && border < end) from = border
  const fence = around(options.whole, from)
  return fence === undefined ? from : Math.min(fence[1], end)
}

function around(ranges: Range[], border: number): Range | undefined {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ranges[middle][1] <= border) low = middle + 1
    else high = middle
  }
  return ranges[low] !== undefined && ranges[low][0] < border ? ranges[low] : undefined
}

/** The last border that is not behind `end`. */
function last(borders: number[], end: number): number | undefined {
  const next = after(borders, end)
  return borders[next] === end ? end : borders[next - 1]
}

/** Number of the first border at or behind `start`. */
function after(borders: number[], start: number): number {
  let [low, high] = [0, borders.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (borders[middle] < start) low = middle + 1
    else high = middle
  }
  return low
}
