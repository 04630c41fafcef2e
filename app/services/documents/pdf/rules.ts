import { OPS } from 'unpdf/pdfjs'
import type { Matrix } from './matrix.ts'
import type { Rule } from './types.ts'

/** Thicker ones are areas, shorter ones are signs; in points. */
const THICKEST = 2
const SHORTEST = 4

/** A page with more of them is a drawing. */
const MOST_RULES = 4_000

/** Numbers of one path that are looked at: a longer one is a curve. */
const LONGEST_PATH = 600

const STROKES: Set<number> = new Set([
  OPS.stroke,
  OPS.closeStroke,
  OPS.fillStroke,
  OPS.eoFillStroke,
  OPS.closeFillStroke,
  OPS.closeEOFillStroke,
])
const FILLS: Set<number> = new Set([OPS.fill, OPS.eoFill])

/** How a path is written: what each part of it is, and how many numbers follow. */
const [MOVE, LINE, CLOSE] = [0, 1, 4]
const NUMBERS = [2, 2, 6, 4, 0]

/**
 * Straight lines across and down the page, as they part rows and columns of tables: those that are drawn, edges of boxes too, and
 * boxes so thin that they look like lines.
 */
export class Rules {
  all: Rule[] = []
  /** The last one, however short. */
  last: Rule | null = null

  /** @param args of the operator that draws a path: how, its parts, and where it lies. */
  add(args: any, matrix: Matrix): void {
    const [how, [path], bounds] = args
    this.last = null
    if (!path || !bounds || this.all.length >= MOST_RULES) return
    if (FILLS.has(how)) {
      const [left, top, right, bottom] = bounds
      this.#line(matrix, [left, top], [right, bottom])
    } else if (STROKES.has(how) && path.length <= LONGEST_PATH) {
      this.#lines(path, matrix)
    }
  }

  #lines(path: ArrayLike<number>, matrix: Matrix): void {
    let start: [number, number] = [0, 0]
    let last = start
    for (let at = 0; at < path.length;) {
      const part = path[at]
      const numbers = NUMBERS[part]
      if (numbers === undefined) return
      const end: [number, number] =
        part === CLOSE ? start : [path[at + numbers - 1], path[at + numbers]]
      if (part === MOVE) start = end
      if (part === LINE || part === CLOSE) this.#line(matrix, last, end)
      last = end
      at += numbers + 1
    }
  }

  #line([a, b, c, d, e, f]: Matrix, one: [number, number], two: [number, number]): void {
    const [x1, y1] = [a * one[0] + c * one[1] + e, b * one[0] + d * one[1] + f]
    const [x2, y2] = [a * two[0] + c * two[1] + e, b * two[0] + d * two[1] + f]
    const thickness = Math.min(Math.abs(x1 - x2), Math.abs(y1 - y2))
    const length = Math.max(Math.abs(x1 - x2), Math.abs(y1 - y2))
    if (thickness > THICKEST || !Number.isFinite(length)) return
    this.last = { x1, y1, x2, y2 }
    if (length >= SHORTEST) this.all.push(this.last)
  }
}
