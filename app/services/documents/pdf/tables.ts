import { hasLeader } from './contents.ts'
import { jointOf } from './joints.ts'
import { listMarker } from './lists.ts'
import type { Line } from './types.ts'

/** Rows further apart than this many times the size of their letters are not of one table. */
const ROW_GAP = 3.5

/** Lines of one cell are nearer. */
const REST_GAP = 1.45

/** Rows that tables of two and of more columns have at least. */
const FEWEST_ROWS = { two: 3, more: 2 }

/** Columns of two tables that begin at the same place, in points. */
const SAME_START = 2

const MOST_COLUMNS = 12

/** Times that columns of one table may turn out to be one: each time all rows are looked at. */
const MOST_MERGES = 12

/** `columns`: where they begin. */
export type Table = { rows: string[][]; lines: number; columns: number[] }

/**
 * The table that begins with the first line at `from`: rows whose cells stand in columns. A line that holds nothing of the
 * first column goes on with the row above it.
 *
 * @param before columns of the tables before it on the page: what has the same goes on with one of them, and may have one row
 */
export function tableAt(lines: Line[], from: number, before: number[][] = []): Table | null {
  if (!mayBeRow(lines[from])) return null
  let columns: [number, number][] = []
  let to = from
  let rows = 0
  let merges = 0
  for (; to < lines.length; to++) {
    const line = lines[to]
    if (line.rows !== undefined || (to > from && !follows(lines[to - 1], line))) break
    if (!mayBeRow(line) && !isRest(line, columns, lines[to - 1])) break
    const next = withLine(columns, line)
    if (next === null) break
    const fewer = columns.some(
      (column, index) => index > 0 && placeIn(next, column) === placeIn(next, columns[index - 1])
    )
    if (fewer && ++merges > MOST_MERGES) break
    /** Raised and lowered parts of a formula are no cells. */
    const isRow = fewer || to === from || line.y - lines[to - 1].y > line.size
    if (isRow && !areOne(next, lines, fewer ? from : to, to)) break
    columns = next
    if (line.segments.length > 1) rows++
  }
  while (to > from && lines[to - 1].segments.length === 1) {
    if (isRest(lines[to - 1], columns, lines[to - 2])) break
    to--
  }
  const least = columns.length === 2 ? FEWEST_ROWS.two : FEWEST_ROWS.more
  const starts = columns.map(([left]) => left)
  const goesOn = before.some(
    (one) =>
      one.length === starts.length &&
      one.every((start, index) => Math.abs(start - starts[index]) < SAME_START)
  )
  if (columns.length < 2 || rows < (goesOn ? 1 : least)) return null
  return { rows: cellsOf(lines.slice(from, to), columns), lines: to - from, columns: starts }
}

function mayBeRow(line: Line): boolean {
  return (
    line.segments.length > 1 &&
    line.segments.length <= MOST_COLUMNS &&
    !hasLeader(line.text) &&
    listMarker(line.segments[0].text, true) === null
  )
}

function follows(before: Line, line: Line): boolean {
  const distance = line.y - before.y
  return distance > 0 && distance < Math.max(line.size, before.size) * ROW_GAP
}

/**
 * The rest of a cell that is too long for its line: it begins where a column behind the first does, or lies in one just below
 * the line before it.
 */
function isRest(line: Line, columns: [number, number][], before: Line): boolean {
  if (line.segments.length > 1) return false
  const [first, ...others] = columns
  if (isRestOfFirst(line, columns, before)) return true
  if (others.some(([left]) => Math.abs(left - line.x) < line.size * 0.5)) return true
  const within = others.filter(([left, right]) => line.x < right && line.right > left)
  return within.length === 1 && line.x > first[1] && line.y - before.y < line.size * REST_GAP
}

/** The rest of a cell in the first column begins like no new row. */
function isRestOfFirst(line: Line, [first, ...others]: [number, number][], before: Line): boolean {
  return (
    others.length > 1 &&
    line.segments.length === 1 &&
    Math.abs(line.x - first[0]) < 1 &&
    line.right < others[0][0] &&
    /^\p{Ll}/u.test(line.text) &&
    line.y - before.y < line.size * REST_GAP
  )
}

/** The columns with a line's cells in them, or null when two cells lie in one; fewer columns when a cell lies across some. */
function withLine(columns: [number, number][], { segments }: Line): [number, number][] | null {
  const all = [...columns, ...segments.map(({ x, right }): [number, number] => [x, right])].sort(
    (a, b) => a[0] - b[0]
  )
  const merged: [number, number][] = []
  for (const [left, right] of all) {
    const last = merged.at(-1)
    if (last !== undefined && left < last[1]) last[1] = Math.max(last[1], right)
    else merged.push([left, right])
  }
  return merged.length < segments.length || merged.length < 2 ? null : merged
}

/** Which of the columns one lies in. */
function placeIn(columns: [number, number][], [left]: [number, number]): number {
  return columns.findIndex(([, right]) => left < right)
}

/** Whether no row has two cells in one of the columns: a head stands in the middle of its column, beside short cells. */
function areOne(columns: [number, number][], lines: Line[], from: number, to: number): boolean {
  return lines.slice(from, to + 1).every(({ segments }) => {
    let column = 0
    let cells = 0
    return segments.every(({ x }) => {
      for (; column < columns.length - 1 && x >= columns[column][1]; column++) cells = 0
      return ++cells === 1
    })
  })
}

function cellsOf(lines: Line[], columns: [number, number][]): string[][] {
  const rows: string[][] = []
  for (const [index, line] of lines.entries()) {
    const { segments } = line
    const rest = index > 0 && isRestOfFirst(line, columns, lines[index - 1])
    const cells = columns.map(([left, right]) =>
      segments
        .filter(({ x }) => x >= left && x < right)
        .map(({ text }) => text.replace(/\s+/g, ' '))
        .join(' ')
    )
    const above = rows.at(-1)
    if (above === undefined || (cells[0] !== '' && !rest)) {
      rows.push(cells)
    } else {
      cells.forEach((cell, column) => {
        if (cell === '') return
        const { cut, between } = jointOf(above[column], cell)
        above[column] = (above[column].slice(0, above[column].length - cut) + between + cell).trim()
      })
    }
  }
  return rows
}
