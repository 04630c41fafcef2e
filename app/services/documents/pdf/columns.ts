import { isIndex } from './contents.ts'
import type { Line, Segment } from './types.ts'

/** Columns of prose have lines of some length that mostly fill them; cells of a table do not. */
const SHORTEST_COLUMN_LINE = 12
const FILLED = 0.5

/** Each of three columns or more has some lines, is filled further, and this share of its lines begins within a sentence. */
const FEWEST_LINES = 4
const FULL = 0.75
const RESTS = 0.4

/** So many of the segments of columns lie across none of the gutters between them. */
const BESIDE = 0.8

/** Columns beside each other have about as many lines. */
const BALANCE = 0.25

/** Lines of a column are nearer than this many sizes of their letters; rows of a table often are not. */
const ROW_DISTANCE = 1.45

/** A running head is further from the columns than this many sizes of its letters. */
const EDGE_GAP = 2

/** Of all segments, those that may lie across a gutter: headings and pictures of the whole width. */
const ACROSS = 0.6

/** Columns inside of columns that are looked for. */
const DEEPEST = 4

/**
 * Segments of a page as lines in reading order. Where a gutter runs down between two columns of prose, the left one comes
 * first; lines that reach across it part what stands above from what stands below. Rows of a table stay rows.
 */
export function orderedLines(segments: Segment[], depth = 0): Line[] {
  const rows = rowsOf(segments)
  const gutter = depth < DEEPEST && segments.length >= 4 ? gutterOf(segments) : null
  if (gutter === null) return rows.map(lineOf)
  const lines: Line[] = []
  let band: Segment[][] = []
  const close = () => {
    lines.push(...(columnsOf(band.flat(), gutter, depth) ?? band.map(lineOf)))
    band = []
  }
  for (const [index, row] of rows.entries()) {
    const across = row.some(({ x, right }) => x < gutter && right > gutter)
    if (across || (depth === 0 && isEdge(rows, index))) {
      close()
      lines.push(lineOf(row))
    } else {
      band.push(row)
    }
  }
  close()
  return lines
}

/** What stands beside each other, apart from the rest, on top or at the bottom of a page: a running head, of no column. */
function isEdge(rows: Segment[][], index: number): boolean {
  const [row, next] = [rows[index], rows[index === 0 ? 1 : index - 1]]
  if (row.length < 2 || next === undefined || (index > 0 && index < rows.length - 1)) return false
  return Math.abs(next[0].y - row[0].y) > row[0].size * EDGE_GAP
}

function columnsOf(segments: Segment[], gutter: number, depth: number): Line[] | null {
  const sides = sidesOf(segments, gutter)
  if (!areColumns(sides, depth)) return null
  return sides.flatMap((side) => orderedLines(side, depth + 1))
}

type Sides = [left: Segment[], right: Segment[]]

function sidesOf(segments: Segment[], gutter: number): Sides {
  return [
    segments.filter(({ right }) => right <= gutter),
    segments.filter(({ right }) => right > gutter),
  ]
}

function areColumns(sides: Sides, depth: number): boolean {
  const [left, right] = sides
  const [fewer, more] = [left.length, right.length].sort((a, b) => a - b)
  if (fewer < more * BALANCE || !sideBySide(left, right)) return false
  if (sides.every(isIndex)) return true
  const columns =
    sides.every((side) => isColumn(side)) || sides.every((side) => isProse(side, depth + 1))
  return columns && !areRows(left, right) && !areNames(left, right)
}

/**
 * Whether a side of a gutter is a column whose lines go on with each other, or holds several of them: three or four beside
 * each other are more often a table than two are, so their lines must show it.
 */
function isProse(segments: Segment[], depth: number): boolean {
  if (segments.length < FEWEST_LINES) return false
  if (isColumn(segments, FULL)) {
    const rests = segments.filter(({ text }) => /^[\p{Ll}\p{Lo}]/u.test(text)).length
    return rests >= segments.length * RESTS
  }
  const gutter = depth < DEEPEST ? gutterOf(segments) : null
  if (gutter === null) return false
  const beside = segments.filter(({ x, right }) => x >= gutter || right <= gutter)
  if (beside.length < segments.length * BESIDE) return false
  const sides = sidesOf(beside, gutter)
  return sides.every((side) => isProse(side, depth + 1)) && areColumns(sides, depth)
}

/**
 * Where few segments lie and many stand on both sides: the place across which a column could end. Walks over the left and
 * right ends of all segments once.
 */
function gutterOf(segments: Segment[]): number | null {
  const size = segments.map((one) => one.size).sort((a, b) => a - b)[segments.length >> 1]
  const ends = segments
    .flatMap(({ x, right }) => [
      { at: x, opens: true },
      { at: right, opens: false },
    ])
    .sort((a, b) => a.at - b.at || Number(a.opens) - Number(b.opens))
  let best: { middle: number; beside: number; across: number } | null = null
  let across = 0
  let closed = 0
  for (const [index, { at, opens }] of ends.entries()) {
    if (opens) across++
    else {
      across--
      closed++
    }
    const next = ends[index + 1]
    if (next === undefined || next.at - at < size * 0.8) continue
    const beside = Math.min(closed, segments.length - closed - across)
    if (beside < 2 || across > segments.length * ACROSS) continue
    const better =
      best === null || beside > best.beside || (beside === best.beside && across < best.across)
    if (better) best = { middle: (at + next.at) / 2, beside, across }
  }
  return best?.middle ?? null
}

function rowsOf(segments: Segment[]): Segment[][] {
  const rows: Segment[][] = []
  for (const segment of segments.toSorted((a, b) => a.y - b.y || a.x - b.x)) {
    const first = rows.at(-1)?.[0]
    const near =
      first !== undefined &&
      Math.abs(first.y - segment.y) < Math.min(first.size, segment.size) * 0.45
    if (near) rows.at(-1)!.push(segment)
    else rows.push([segment])
  }
  return rows.map((row) => row.sort((a, b) => a.x - b.x))
}

export function lineOf(row: Segment[]): Line {
  if (row.length === 1) return { ...row[0], segments: row }
  const serifs = row.filter(({ sans }) => sans !== null)
  const longest = row.reduce((one, two) => (two.text.length > one.text.length ? two : one))
  return {
    text: row.map(({ text }) => text).join(' '),
    x: row[0].x,
    right: row.reduce((right, one) => Math.max(right, one.right), 0),
    y: longest.y,
    size: longest.size,
    bold: row.every(({ bold }) => bold),
    sans: serifs.length === 0 ? null : serifs.every(({ sans }) => sans),
    mono: row.every(({ mono }) => mono > 0) ? row[0].mono : 0,
    monoEnd: row.at(-1)!.monoEnd,
    segments: row,
  }
}

function isColumn(segments: Segment[], filled = FILLED): boolean {
  if (segments.length < 2) return false
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]
  const left = segments.reduce((x, one) => Math.min(x, one.x), Infinity)
  const right = segments.reduce((x, one) => Math.max(x, one.right), 0)
  const length = median(segments.map(({ text }) => text.length))
  const width = median(segments.map((one) => one.right - one.x))
  return length >= SHORTEST_COLUMN_LINE && width >= (right - left) * filled
}

/**
 * Whether what stands left are the first cells of rows: further apart than lines, none the rest of a sentence, each beside a
 * cell on the right.
 */
function areRows(left: Segment[], right: Segment[]): boolean {
  const distances = left.slice(1).map(({ y }, index) => y - left[index].y)
  const median = distances.sort((a, b) => a - b)[distances.length >> 1]
  if (median === undefined || median < left[0].size * ROW_DISTANCE) return false
  const rests = left.slice(1).filter(({ text }) => /^\p{Ll}/u.test(text)).length
  if (rests > left.length * 0.3) return false
  let beside = 0
  let at = 0
  for (const { y, size } of left) {
    while (at < right.length && right[at].y < y - size * 0.45) at++
    if (at < right.length && right[at].y < y + size * 0.45) beside++
  }
  return beside >= left.length * 0.8
}

/** Names on the left, each beside words on the right that say what it is. */
function areNames(left: Segment[], right: Segment[]): boolean {
  const words = right.filter(({ text }) => text.includes(' ')).length
  if (left.some(({ text }) => text.includes(' ')) || words < right.length * 0.8) return false
  return left.every(({ y, size }) => right.some((one) => Math.abs(one.y - y) < size * 0.45))
}

function sideBySide(left: Segment[], right: Segment[]): boolean {
  const top = (side: Segment[]) => side.reduce((y, one) => Math.min(y, one.y), Infinity)
  const bottom = (side: Segment[]) => side.reduce((y, one) => Math.max(y, one.y), -Infinity)
  return top(left) < bottom(right) && top(right) < bottom(left)
}
