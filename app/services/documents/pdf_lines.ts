/**
 * One piece of text on a page, in points, upright: `x` from the left, `y` of its baseline from the top.
 */
export type Piece = {
  text: string
  x: number
  y: number
  width: number
  size: number
  rtl: boolean
}

/** Pieces of one line of one column. */
export type Segment = { text: string; x: number; right: number; y: number; size: number }

/** Gaps inside a line that part words, and those that part columns; in sizes of its letters. */
const WORD_GAP = 0.15
const COLUMN_GAP = 1.8

/** Table cells stand in columns too but are read by rows: columns of prose have lines of some length. */
const SHORTEST_COLUMN_LINE = 12

/**
 * Lines of a page in reading order: top to bottom, and one column after the other.
 */
export function linesInOrder(pieces: Piece[]): Segment[] {
  return ordered(segmentsOf(pieces)).map((segment) => ({ ...segment, text: segment.text.trim() }))
}

function segmentsOf(pieces: Piece[]): Segment[] {
  const rows: Piece[][] = []
  const sorted = pieces
    .filter(({ text }) => text.trim() !== '')
    .sort((a, b) => a.y - b.y || a.x - b.x)
  for (const piece of sorted) {
    const row = rows.at(-1)
    const near = row && Math.abs(row[0].y - piece.y) < Math.min(row[0].size, piece.size) * 0.5
    if (near) row.push(piece)
    else rows.push([piece])
  }
  return rows.flatMap(segmentsOfRow)
}

function segmentsOfRow(row: Piece[]): Segment[] {
  row.sort((a, b) => a.x - b.x)
  const groups: Piece[][] = []
  for (const piece of row) {
    const last = groups.at(-1)?.at(-1)
    const gap = last === undefined ? Infinity : piece.x - (last.x + last.width)
    if (gap > Math.max(piece.size, last?.size ?? 0) * COLUMN_GAP) groups.push([piece])
    else groups.at(-1)!.push(piece)
  }
  return groups.map((group) => {
    const right = Math.max(...group.map(({ x, width }) => x + width))
    const size = Math.max(...group.map((piece) => piece.size))
    const rtl = group.filter((piece) => piece.rtl).length > group.length / 2
    return { text: joined(group, rtl), x: group[0].x, right, y: group[0].y, size }
  })
}

function joined(group: Piece[], rtl: boolean): string {
  const pieces = rtl ? group.toReversed() : group
  let text = ''
  for (const [index, piece] of pieces.entries()) {
    const before = pieces[index - 1]
    if (before !== undefined) {
      const [left, right] = rtl ? [piece, before] : [before, piece]
      const apart = right.x - (left.x + left.width) > piece.size * WORD_GAP
      if (apart && !/\s$/.test(text) && !/^\s/.test(piece.text)) text += ' '
    }
    text += piece.text
  }
  return text
}

/**
 * Cuts at the gutter between two columns; lines above or below that span both are read before or after them.
 */
function ordered(segments: Segment[]): Segment[] {
  const columns = parted(segments)
  if (columns !== null) return [...ordered(columns[0]), ...ordered(columns[1])]
  const rows = segments.toSorted((a, b) => a.y - b.y || a.x - b.x)
  for (let spanning = 1; spanning <= rows.length - 4; spanning++) {
    const rest = parted(rows.slice(spanning))
    if (rest !== null) {
      return [...rows.slice(0, spanning), ...ordered(rest[0]), ...ordered(rest[1])]
    }
    const above = parted(rows.slice(0, -spanning))
    if (above !== null) {
      return [...ordered(above[0]), ...ordered(above[1]), ...rows.slice(-spanning)]
    }
  }
  return rows
}

function parted(segments: Segment[]): [Segment[], Segment[]] | null {
  if (segments.length < 4) return null
  const sorted = segments.toSorted((a, b) => a.x - b.x)
  let right = sorted[0].right
  for (let index = 1; index < sorted.length; index++) {
    const gap = sorted[index].x - right
    if (gap > sorted[index].size) {
      const sides = [sorted.slice(0, index), sorted.slice(index)] as [Segment[], Segment[]]
      if (sides.every(isColumn) && sideBySide(...sides)) return sides
    }
    right = Math.max(right, sorted[index].right)
  }
  return null
}

function isColumn(segments: Segment[]): boolean {
  const lengths = segments.map(({ text }) => text.length).sort((a, b) => a - b)
  return lengths.length >= 2 && lengths[lengths.length >> 1] >= SHORTEST_COLUMN_LINE
}

function sideBySide(left: Segment[], right: Segment[]): boolean {
  const top = (side: Segment[]) => Math.min(...side.map(({ y }) => y))
  const bottom = (side: Segment[]) => Math.max(...side.map(({ y }) => y))
  return top(left) < bottom(right) && top(right) < bottom(left)
}
