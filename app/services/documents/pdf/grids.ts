import type { Piece, Rule } from './types.ts'

/** Ends of rules that touch each other, and rules that are one, lie no further apart than this, in points. */
const TOUCH = 3

/** Pages with more crossings of rules to look at are drawings. */
const MOST_CROSSINGS = 100_000

const MOST_GRIDS = 100
const MOST_CELLS = 4_000
const MOST_COLUMNS = 24

/** Of the rows of a table so many have text, and of its columns too. */
const FILLED = 0.7

/** Texts that lie across a rule between columns: of a drawing, not of a table. */
const MOST_ACROSS = 0.05

/** So many lines that all cells of a row share are rows without rules between them. */
const SHARED_LINES = 3

/** A rule along one axis: where it lies on the other one, and from where to where it goes. */
type Span = { at: number; from: number; to: number }

/** A table whose rules part its cells: what stands in each, in rows of as many cells. */
export type Grid = {
  left: number
  right: number
  top: number
  /** What stands in cells over all columns above the rest. */
  title: Piece[]
  /** Where its columns begin. */
  columns: number[]
  rows: Piece[][][]
}

/**
 * Tables that are drawn with rules between their rows and columns, and the pieces of text that lie in none.
 */
export function gridsOf(pieces: Piece[], rules: Rule[]): { grids: Grid[]; rest: Piece[] } {
  const across = joined(rules.filter(isAcross).map(spanAcross))
  const down = joined(rules.filter((rule) => !isAcross(rule)).map(spanDown))
  if (across.length * down.length > MOST_CROSSINGS) return { grids: [], rest: pieces }
  const grids: Grid[] = []
  let rest = pieces
  for (const connected of connectedOf(across, down).slice(0, MOST_GRIDS)) {
    const frame = frameOf(connected.across, connected.down)
    if (frame === null) continue
    const grid = gridOf(rest, frame)
    if (grid === null) continue
    const inside = new Set([...grid.title, ...grid.rows.flat(2)])
    rest = rest.filter((piece) => !inside.has(piece))
    grids.push(grid)
  }
  return { grids, rest }
}

/** Null where what stands between the rules is no table. */
function gridOf(pieces: Piece[], frame: Frame): Grid | null {
  const { xs, ys } = frame
  const cellOf = mergedCells(frame)
  let titles = 0
  while (titles < ys.length - 3 && isWhole(cellOf, titles, xs.length - 1)) titles++
  const inside = pieces.filter((piece) => isInside(piece, frame))
  const title = inside.filter((piece) => middleOf(piece)[1] <= ys[titles])
  const table = rowsOf(
    inside.filter((piece) => middleOf(piece)[1] > ys[titles]),
    frame,
    cellOf
  )
  if (table === null) return null
  return { left: xs[0], right: xs.at(-1)!, top: ys[0], title, ...table }
}

/** Whether a row of the grid is one cell. */
function isWhole(cellOf: number[], row: number, columns: number): boolean {
  const cells = cellOf.slice(row * columns, (row + 1) * columns)
  return cells.every((cell) => cell === cells[0]) && cells[0] >= row * columns
}

function isAcross({ x1, y1, x2, y2 }: Rule): boolean {
  return Math.abs(x1 - x2) > Math.abs(y1 - y2)
}

function spanAcross({ x1, y1, x2, y2 }: Rule): Span {
  return { at: (y1 + y2) / 2, from: Math.min(x1, x2), to: Math.max(x1, x2) }
}

function spanDown({ x1, y1, x2, y2 }: Rule): Span {
  return { at: (x1 + x2) / 2, from: Math.min(y1, y2), to: Math.max(y1, y2) }
}

/** Each cell may have its own piece of a rule: those that touch are one. */
function joined(spans: Span[]): Span[] {
  const lines: Span[][] = []
  for (const span of spans.sort((a, b) => a.at - b.at || a.from - b.from)) {
    const line = lines.at(-1)
    if (line !== undefined && span.at - line[0].at < TOUCH / 2) line.push(span)
    else lines.push([span])
  }
  return lines.flatMap((line) => {
    const whole: Span[] = []
    for (const span of line.sort((a, b) => a.from - b.from)) {
      const last = whole.at(-1)
      if (last !== undefined && span.from - last.to < TOUCH) last.to = Math.max(last.to, span.to)
      else whole.push({ ...span })
    }
    return whole
  })
}

type Connected = { across: Span[]; down: Span[] }

/** Rules that cross or touch each other are of one table. */
function connectedOf(across: Span[], down: Span[]): Connected[] {
  const group = new Map<Span, Connected>()
  for (const one of across) group.set(one, { across: [one], down: [] })
  for (const one of down) {
    const touched = new Set<Connected>()
    for (const other of across) {
      const touches =
        one.at > other.from - TOUCH &&
        one.at < other.to + TOUCH &&
        other.at > one.from - TOUCH &&
        other.at < one.to + TOUCH
      if (touches) touched.add(group.get(other)!)
    }
    const [first, ...others] = touched
    if (first === undefined) continue
    first.down.push(one)
    for (const other of others) {
      for (const span of other.across) group.set(span, first)
      first.across.push(...other.across)
      first.down.push(...other.down)
    }
  }
  return [...new Set(group.values())].filter((one) => one.down.length > 0)
}

/** Where rows and columns end, and which rules are drawn. */
type Frame = { xs: number[]; ys: number[]; across: Span[]; down: Span[] }

/** Null where the rules part no rows or no columns. */
function frameOf(across: Span[], down: Span[]): Frame | null {
  const xs = placesOf([
    ...down.map(({ at }) => at),
    ...outermost(across.map(({ from }) => from).sort((a, b) => a - b)),
    ...outermost(across.map(({ to }) => to).sort((a, b) => b - a)),
  ])
  /** A row that goes on with the next page has no rule below it. */
  const ys = placesOf([
    ...across.map(({ at }) => at),
    Math.min(...down.map(({ from }) => from)),
    Math.max(...down.map(({ to }) => to)),
  ])
  const cells = (xs.length - 1) * (ys.length - 1)
  if (xs.length < 3 || ys.length < 2 || xs.length > MOST_COLUMNS || cells > MOST_CELLS) return null
  return { xs, ys, across, down }
}

/** How far two rules reach: one alone may be the rule above a foot that a table runs into. */
function outermost(ends: number[]): number[] {
  const at = ends.findIndex((end, index) => Math.abs(end - ends[index + 1]) <= TOUCH)
  return at < 0 ? [] : [ends[at]]
}

function placesOf(values: number[]): number[] {
  const places: number[] = []
  for (const value of values.sort((a, b) => a - b)) {
    if (places.length === 0 || value - places.at(-1)! > TOUCH) places.push(value)
  }
  return places
}

/** Where the middle of a piece's letters lies. */
function middleOf({ x, y, width, size }: Piece): [number, number] {
  return [x + width / 2, y - size * 0.3]
}

function isInside(piece: Piece, { xs, ys }: Frame): boolean {
  const [x, y] = middleOf(piece)
  return x > xs[0] && x < xs.at(-1)! && y > ys[0] && y < ys.at(-1)!
}

/** Rows of cells with what stands in them; null where that is no table. A cell over several rows stands in the first. */
function rowsOf(
  pieces: Piece[],
  { xs, ys }: Frame,
  cellOf: number[]
): Pick<Grid, 'columns' | 'rows'> | null {
  const [columns, height] = [xs.length - 1, ys.length - 1]
  const cells = Array.from({ length: columns * height }, (): Piece[] => [])
  let across = 0
  for (const piece of pieces) {
    const [x, y] = middleOf(piece)
    const row = placeIn(ys, y)
    cells[cellOf[row * columns + placeIn(xs, x)]].push(piece)
    const ends = [piece.x + 1, piece.x + piece.width - 1].map((end) => placeIn(xs, end))
    if (cellOf[row * columns + ends[0]] !== cellOf[row * columns + ends[1]]) across++
  }
  if (pieces.length === 0 || across > pieces.length * MOST_ACROSS) return null
  const all = ys.slice(1).map((_, row) => cells.slice(row * columns, (row + 1) * columns))
  const rows = all.filter((row) => row.some((cell) => cell.length > 0))
  const used = xs
    .slice(1)
    .map((_, column) => column)
    .filter((column) => rows.some((row) => row[column].length > 0))
  if (rows.length < 2 && !isHead(rows[0] ?? [])) return null
  if (used.length < 2 || rows.length < height * FILLED) return null
  if (hasRowsInRows(rows)) return null
  return {
    columns: used.map((column) => xs[column]),
    rows: rows.map((row) => used.map((column) => row[column])),
  }
}

/** Whether a row is the head of a table that the page ends with. */
function isHead(row: Piece[][]): boolean {
  return row.every(
    (cell) => cell.length > 0 && cell.every(({ bold }) => bold) && linesIn(cell).size === 1
  )
}

/** For each place of the grid the first one of its cell: no rule parts places of one cell. */
function mergedCells({ xs, ys, across, down }: Frame): number[] {
  const columns = xs.length - 1
  const first = Array.from({ length: columns * (ys.length - 1) }, (_, place) => place)
  const rootOf = (place: number): number =>
    first[place] === place ? place : (first[place] = rootOf(first[place]))
  const merge = (one: number, two: number) => {
    const [a, b] = [rootOf(one), rootOf(two)]
    first[Math.max(a, b)] = Math.min(a, b)
  }
  for (let row = 0; row < ys.length - 1; row++) {
    const y = (ys[row] + ys[row + 1]) / 2
    for (let column = 0; column < columns; column++) {
      const x = (xs[column] + xs[column + 1]) / 2
      const place = row * columns + column
      if (column > 0 && !isDrawn(down, xs[column], y)) merge(place - 1, place)
      if (row > 0 && !isDrawn(across, ys[row], x)) merge(place - columns, place)
    }
  }
  return first.map((_, place) => rootOf(place))
}

function isDrawn(spans: Span[], at: number, along: number): boolean {
  return spans.some(
    (span) => Math.abs(span.at - at) <= TOUCH && span.from < along && span.to > along
  )
}

function placeIn(places: number[], value: number): number {
  let place = 0
  while (place < places.length - 2 && value >= places[place + 1]) place++
  return place
}

/** Whether most rows of several lines have their lines side by side in all cells: rules part no rows there. */
function hasRowsInRows(rows: Piece[][][]): boolean {
  let several = 0
  let shared = 0
  for (const row of rows) {
    const lines = row.filter((cell) => cell.length > 0).map(linesIn)
    const most = Math.max(...lines.map(({ size }) => size))
    if (most < 2) continue
    several++
    const [first, ...others] = lines
    const both = [...first].filter((y) => others.every((other) => hasNear(other, y))).length
    if (others.length > 0 && both >= SHARED_LINES && both >= most * 0.8) shared++
  }
  return shared > 0 && shared * 2 >= several
}

function linesIn(cell: Piece[]): Set<number> {
  return new Set(cell.map(({ y }) => Math.round(y)))
}

function hasNear(lines: Set<number>, y: number): boolean {
  return lines.has(y) || lines.has(y - 1) || lines.has(y + 1)
}
