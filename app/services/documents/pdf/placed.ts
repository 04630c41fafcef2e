import type { Line } from './types.ts'

/** Left edges of text on a page that are looked at: those that most lines have. */
const MOST_EDGES = 40

/** A page with fewer lines of so many letters has no edges: it may be a title page. */
const FEWEST_LINES = 5
const LONG_LINE = 40

/** How far from an edge, in points, a line still stands at it. */
const TOLERANCE = 2

/** How far from the middle a line in the middle may be, as a share of the width. */
const MIDDLE = 0.03

/** The left edge of lines, the right one of the longest, and how many they are. */
type Edge = { left: number; right: number; lines: number }

/**
 * Where the text of a page stands: headings stand at its edges or in the middle, unlike what is written in pictures.
 */
export class Placed {
  #edges: Edge[] = []
  #left = Infinity
  #size = 0
  #lines = 0

  /** @param text lines of paragraphs and lists */
  constructor(text: Line[]) {
    const edges = new Map<number, Edge>()
    for (const { x, right, size, text: letters } of text) {
      const left = Math.round(x / TOLERANCE)
      const edge = edges.get(left) ?? { left: x, right, lines: 0 }
      edge.lines++
      edge.right = Math.max(edge.right, right)
      edges.set(left, edge)
      this.#left = Math.min(this.#left, x)
      this.#size = size
      if (letters.length >= LONG_LINE) this.#lines++
    }
    this.#edges = [...edges.values()].sort((a, b) => b.lines - a.lines).slice(0, MOST_EDGES)
  }

  /** Whether a line begins at the outermost left edge. */
  isAtLeft({ x }: Line): boolean {
    return x <= this.#left + this.#size
  }

  /** Whether a heading may stand where a line does. */
  admits(line: Line): boolean {
    if (this.#lines < FEWEST_LINES || this.isAtLeft(line)) return true
    const { x, right } = line
    return this.#edges.some((edge) => {
      const width = edge.right - edge.left
      const middle = Math.abs((x + right - edge.left - edge.right) / 2)
      return (
        Math.abs(x - edge.left) <= TOLERANCE ||
        Math.abs(right - edge.right) <= TOLERANCE ||
        middle <= width * MIDDLE
      )
    })
  }
}
