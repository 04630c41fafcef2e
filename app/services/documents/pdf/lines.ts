import { lowered, raised } from '../raised.ts'
import { lineOf, orderedLines } from './columns.ts'
import { type Grid, gridsOf } from './grids.ts'
import { withoutForms } from './presentation_forms.ts'
import { inLogicalOrder } from './right_to_left.ts'
import type { Line, Piece, Rule, Segment } from './types.ts'

/** Gaps inside a line that part words, and those that part columns; in sizes of its letters. */
const WORD_GAP = 0.15
const COLUMN_GAP = 1.8

/**
 * Gaps that part cells where rows nearby are parted there: those between two words of a piece are narrower. And those in front
 * of what begins exactly where cells of two other rows do, or of one when the row has cells elsewhere; in points.
 */
const CELL_GAP = 0.7
const START_GAP = 0.25
const SAME_START = 0.3

/** Rows no further away than so many sizes of their letters are nearby; where there are more gaps, no cells are looked for. */
const NEAR_ROWS = 4
const MOST_GAPS = 40
const MOST_NEAR_GAPS = 60

/** Letters of a cell are not smaller than this many times those beside it. */
const SMALLEST_CELL = 0.6

/** A name in equally wide letters, which writers set larger, does not make a line of these other letters large. */
const FEWEST_OTHERS = 3

/** In text of equally wide letters a column further away than this many letters is another segment. */
const MONO_GAP = 24

/** Fewer letters beside those of equal width do not show whether a line has serifs. */
const FEWEST_LETTERS = 3

/** Rules that part rows and columns of the smallest table. */
const FEWEST_RULES = 4

/** Soft hyphens that part no line. */
const SOFT_HYPHENS = /\u00ad(?=.)/gsu

/** Widest indentation or gap that is written as spaces. */
const MOST_SPACES = 60

/**
 * Lines of a page in reading order: top to bottom, and one column after the other.
 */
export function linesInOrder(pieces: Piece[], rules: Rule[] = []): Line[] {
  if (rules.length < FEWEST_RULES) return orderedLines(segmentsOf(rowsOf(pieces)))
  const { grids, rest } = gridsOf(pieces, rules)
  const tables = grids.map(tableOf)
  return orderedLines([...segmentsOf(rowsOf(rest)), ...tables]).flatMap(withTablesApart)
}

/** A table as one segment of the page, as wide as its rules. */
function tableOf({ left, right, top, title: above, columns, rows }: Grid): Segment {
  const cells = rows.map((row) => row.map(linesInOrderOf))
  const texts = cells.map((row) => row.map(textOf))
  const title = textOf(linesInOrderOf(above))
  const first = cells.flat(2)[0]
  return {
    ...first,
    text: [title, ...texts.flat()].join('\n'),
    x: left,
    right,
    y: top + first.size,
    bold: false,
    mono: 0,
    monoEnd: false,
    rows: texts,
    columns,
    headed: rows[0].flat().every(({ bold }) => bold),
    title,
  }
}

function linesInOrderOf(pieces: Piece[]): Line[] {
  return orderedLines(segmentsOf(rowsOf(pieces)))
}

/** How they are joined shows only when the whole document is read. */
function textOf(lines: Line[]): string {
  return lines.map(({ text }) => text.replace(/\s+/g, ' ')).join('\n')
}

/** Tables without what stands beside their first row. */
function withTablesApart(line: Line): Line[] {
  const tables = line.segments.filter(({ rows }) => rows !== undefined)
  if (tables.length === 0) return [line]
  const others = line.segments.filter(({ rows }) => rows === undefined)
  const lines = others.length === 0 ? [] : [lineOf(others)]
  return [...lines, ...tables.map((table) => lineOf([table]))]
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

/** Gaps inside a row that part cells, or may. */
type Gap = { at: number; left: number; right: number; y: number; size: number; parts: boolean }

/**
 * Rows in segments: wide gaps part them, and narrower ones where a row nearby is parted at the same place, as in a table whose
 * cells are full.
 */
function segmentsOf(rows: Piece[][]): Segment[] {
  const gaps = rows.map(gapsOf)
  const inside = gaps.filter(({ length }) => length > 0 && length <= MOST_GAPS)
  if (inside.some((row) => row.some(({ parts }) => parts))) {
    partAsNearby(inside)
    partAsNearby(inside.reverse())
  }
  const segments: Segment[] = []
  for (const [index, row] of rows.entries()) {
    let start = 0
    for (const { at, parts } of gaps[index]) {
      if (!parts) continue
      segments.push(segmentOf(row.slice(start, at)))
      start = at
    }
    segments.push(segmentOf(start === 0 ? row : row.slice(start)))
  }
  return segments
}

function gapsOf(row: Piece[]): Gap[] {
  const gaps: Gap[] = []
  for (let at = 1; at < row.length; at++) {
    const piece = row[at]
    const last = row[at - 1]
    const left = last.x + last.width
    const gap = piece.x - left
    const size = Math.max(piece.size, last.size)
    const mono = last.mono && piece.mono
    const parts = gap > (mono ? MONO_GAP * advanceOf(piece) : widestOf(piece.size, last.size))
    if (parts || (!mono && gap >= size * START_GAP)) {
      gaps.push({ at, left, right: piece.x, y: piece.y, size, parts })
    }
  }
  return gaps
}

function partAsNearby(rows: Gap[][]): void {
  let near: Gap[] = []
  for (const gaps of rows) {
    near = near
      .filter(({ y, size }) => Math.abs(y - gaps[0].y) < size * NEAR_ROWS)
      .slice(-MOST_NEAR_GAPS)
    const fewest = gaps.some(({ parts }) => parts) ? 1 : 2
    for (const gap of gaps) gap.parts ||= isParted(gap, near, fewest)
    near.push(...gaps.filter(({ parts }) => parts))
  }
}

/** So many rows with cells that begin exactly there, or one with a gap that this one lies in. */
function isParted({ left, right, size }: Gap, near: Gap[], fewest: number): boolean {
  if (near.filter((one) => Math.abs(one.right - right) < SAME_START).length >= fewest) return true
  const gap = right - left > size * CELL_GAP
  return (
    gap &&
    near.some(
      (one) => Math.min(one.right, right) - Math.max(one.left, left) > size * CELL_GAP * 0.5
    )
  )
}

/** Cells may hold letters of two sizes beside each other; raised and lowered numbers are much smaller than their line. */
function widestOf(one: number, two: number): number {
  return Math.max(Math.min(one, two), Math.max(one, two) * SMALLEST_CELL) * COLUMN_GAP
}

function segmentOf(group: Piece[]): Segment {
  const letters = (pieces: Piece[]) => pieces.reduce((sum, { text }) => sum + text.length, 0)
  const others = group.filter((piece) => !piece.mono)
  const plain = letters(others)
  const size = mostUsed(plain < FEWEST_OTHERS ? group : others)
  /** A name of code inside of a heading has letters of its own. */
  const own = plain > letters(group) / 2 ? others : group
  const mono = isMono(group) ? advanceOf(group[0]) : 0
  const main = group.find((piece) => piece.size === size)!
  const painted = inLogicalOrder(mono > 0 ? onGrid(group, mono) : joined(group, main))
  const text = withoutForms(painted.replace(SOFT_HYPHENS, ''))
  return {
    text: text.trim(),
    x: group[0].x + (text.length - text.trimStart().length) * mono,
    right: group.reduce((right, { x, width }) => Math.max(right, x + width), 0),
    y: main.y,
    size,
    bold: isMost(letters(own.filter(({ bold }) => bold)), letters(own)),
    sans: plain < FEWEST_LETTERS ? null : isMost(letters(group.filter(({ sans }) => sans)), plain),
    mono,
    monoEnd: group.at(-1)!.mono,
  }
}

function isMost(part: number, all: number): boolean {
  return part > all * 0.9
}

/** Some writers take signs of code from fonts for formulas. */
function isMono(group: Piece[]): boolean {
  return group[0].mono && group.every(({ mono, text }) => mono || /^[\\<>|{}~^_*∗∼\s]+$/.test(text))
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

/** @param main a piece of the letters that most of the line has */
function joined(pieces: Piece[], main: Piece): string {
  let text = ''
  let end = 0
  for (const piece of pieces) {
    const gap = piece.x - end
    const apart = gap > piece.size * WORD_GAP || (piece.spaced && gap > 0)
    if (text !== '' && apart && !text.endsWith(' ')) text += ' '
    text += withOffset(piece, main, text)
    end = piece.x + piece.width
  }
  return text
}

/** Text of a piece, behind that of its line: digits above or below the line are none of the number in front of them. */
function withOffset({ text, size, y }: Piece, main: Piece, before: string): string {
  if (size >= main.size * 0.9) return text
  const rise = (main.y - y) / main.size
  if (rise > 0.15) return /[\p{L}\p{N})\]]$/u.test(before.slice(-2)) ? raised(text) : text
  return rise < -0.05 ? lowered(text, before.slice(-1)) : text
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
