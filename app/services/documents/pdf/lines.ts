import { orderedLines } from './columns.ts'
import { inLogicalOrder } from './right_to_left.ts'
import type { Line, Piece, Segment } from './types.ts'

/** Gaps inside a line that part words, and those that part columns; in sizes of its letters. */
const WORD_GAP = 0.15
const COLUMN_GAP = 1.8

/** In text of equally wide letters a column further away than this many letters is another segment. */
const MONO_GAP = 24

/** Widest indentation or gap that is written as spaces. */
const MOST_SPACES = 60

/**
 * Lines of a page in reading order: top to bottom, and one column after the other.
 */
export function linesInOrder(pieces: Piece[]): Line[] {
  return orderedLines(rowsOf(pieces).flatMap(segmentsOfRow))
}

/** Pieces whose letters stand beside each other; raised and lowered ones are with their line. */
function rowsOf(pieces: Piece[]): Piece[][] {
  const rows: { pieces: Piece[]; largest: Piece }[] = []
  for (const piece of pieces.toSorted((a, b) => a.y - b.y || a.x - b.x)) {
    const row = rows.at(-1)
    if (row === undefined || !besides(row.largest, piece)) {
      rows.push({ pieces: [piece], largest: piece })
      continue
    }
    row.pieces.push(piece)
    if (piece.size > row.largest.size) row.largest = piece
  }
  return rows.map((row) => withoutDoubles(row.pieces.sort((a, b) => a.x - b.x)))
}

function besides(one: Piece, two: Piece): boolean {
  const smaller = Math.min(one.size, two.size)
  if (Math.abs(one.y - two.y) < smaller * 0.3) return true
  if (Math.max(one.size, two.size) > smaller * 2) return false
  const top = Math.max(one.y - one.size * 0.8, two.y - two.size * 0.8)
  const bottom = Math.min(one.y + one.size * 0.2, two.y + two.size * 0.2)
  return bottom - top > smaller * 0.55
}

/** Some writers make letters bold by painting them twice, a little apart. */
function withoutDoubles(row: Piece[]): Piece[] {
  return row.filter(
    (piece, index) =>
      !row
        .slice(Math.max(0, index - 3), index)
        .some(
          (other) =>
            other.text === piece.text &&
            Math.abs(other.x - piece.x) < piece.size * 0.1 &&
            Math.abs(other.y - piece.y) < piece.size * 0.1
        )
  )
}

function segmentsOfRow(row: Piece[]): Segment[] {
  const groups: Piece[][] = []
  for (const piece of row) {
    const last = groups.at(-1)?.at(-1)
    const gap = last === undefined ? Infinity : piece.x - (last.x + last.width)
    const widest =
      last?.mono === true && piece.mono
        ? MONO_GAP * advanceOf(piece)
        : Math.max(piece.size, last?.size ?? 0) * COLUMN_GAP
    if (gap > widest) groups.push([piece])
    else groups.at(-1)!.push(piece)
  }
  return groups.map(segmentOf)
}

function segmentOf(group: Piece[]): Segment {
  const letters = (pieces: Piece[]) => pieces.reduce((sum, { text }) => sum + text.length, 0)
  const all = letters(group)
  const size = mostUsed(group)
  const mono = group.every((piece) => piece.mono) ? advanceOf(group[0]) : 0
  const main = group.find((piece) => piece.size === size)!
  const text = inLogicalOrder(mono > 0 ? onGrid(group, mono) : joined(group))
  return {
    text: text.trim(),
    x: group[0].x + (text.length - text.trimStart().length) * mono,
    right: group.reduce((right, { x, width }) => Math.max(right, x + width), 0),
    y: main.y,
    size,
    bold: letters(group.filter((piece) => piece.bold)) > all * 0.9,
    sans: letters(group.filter((piece) => piece.sans)) > all * 0.9,
    mono,
  }
}

/** The size that most letters have: a raised number or one larger word does not make a line another kind of line. */
function mostUsed(group: Piece[]): number {
  const letters = new Map<number, number>()
  for (const { size, text } of group) letters.set(size, (letters.get(size) ?? 0) + text.length)
  let [most] = letters
  for (const entry of letters) if (entry[1] > most[1]) most = entry
  return most[0]
}

function advanceOf({ width, text, size }: Piece): number {
  const advance = width / Math.max(1, Array.from(text).length)
  return advance > 0 ? advance : size * 0.6
}

function joined(pieces: Piece[]): string {
  let text = ''
  let end = 0
  for (const piece of pieces) {
    const gap = piece.x - end
    const apart = gap > piece.size * WORD_GAP || (piece.spaced && gap > 0)
    if (text !== '' && apart && !text.endsWith(' ')) text += ' '
    text += piece.text
    end = piece.x + piece.width
  }
  return text
}

/** Text of equally wide letters with as many spaces as there is room for. */
function onGrid(group: Piece[], advance: number): string {
  let text = ''
  let end = group[0].x
  for (const piece of group) {
    const spaces = Math.round((piece.x - end) / advance)
    if (spaces > 0 && text !== '') text += ' '.repeat(Math.min(spaces, MOST_SPACES))
    text += piece.text
    end = piece.x + piece.width
  }
  return text
}
