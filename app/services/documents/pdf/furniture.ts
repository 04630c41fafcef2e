import type { Steps } from '../breather.ts'
import type { Line, PageLines } from './types.ts'

/** Running heads and page numbers stand in these parts of a page's height. */
const EDGE = 0.14

/** Lines from the top and the bottom that may be furniture. */
const OUTERMOST = 3

/** Larger letters than this many times those of the body are a heading, even where each page has the same. */
const LARGEST = 1.15

/** Pages on both sides that are looked at: heads of chapters change, and left and right pages differ. */
const NEIGHBOURS = 4

/** Fewer pages do not show what repeats. */
const FEWEST_PAGES = 3

/** Lines of different pages at the same height, in points. */
const SAME_HEIGHT = 4

/** A running head is further from the text than the head of a table is from its first row; in sizes of its letters. */
const TABLE_GAP = 2

/** What is said where the end of a page cuts something. */
const CONTINUED =
  /^\(?(?:continue[sd] (?:from|on) (?:the )?(?:previous|next) page|Fortsetzung (?:der vorherigen|auf der nächsten) Seite)\)?$/i

/** When so many pages have furniture at a height, what stands there alone on the others is furniture too. */
const MOST_PAGES = 0.6

/**
 * Pages without their running heads, feet and numbers: lines at the edge that stand at the same height on pages nearby and
 * say the same there but for their numbers, or have a number that counts along with the pages.
 */
export function* furnitureSteps(
  pages: PageLines[],
  bodySize: number
): Steps<{ lines: Line[]; dropped: number }[]> {
  if (pages.length < FEWEST_PAGES) return pages.map(({ lines }) => ({ lines, dropped: 0 }))
  const edges: Edge[][] = []
  for (const page of pages) {
    edges.push(edgeOf(page, bodySize * LARGEST))
    yield
  }
  const repeated: Edge[][] = []
  for (const [page, edge] of edges.entries()) {
    const found = edge.filter((one) => repeats(one, page, edges))
    repeated.push(found.filter((one) => isOutermost(one, found) && !isTableHead(one, found)))
    yield
  }
  const heights = usualHeights(repeated)
  const first = firstNumber(repeated)
  const left: { lines: Line[]; dropped: number }[] = []
  for (const [page, { lines }] of pages.entries()) {
    const furniture = new Set(repeated[page].map(({ line }) => line))
    for (const { line, counts } of edges[page]) {
      const isNumber = counts[0] === page + first && line.text === String(counts[0])
      if (
        isNumber ||
        CONTINUED.test(line.text) ||
        (heights.has(heightOf(line)) && isOuter(line, lines))
      )
        furniture.add(line)
    }
    left.push({ lines: lines.filter((line) => !furniture.has(line)), dropped: furniture.size })
    yield
  }
  return left
}

/** A line at the edge of a page and what it says but for its numbers; those at its ends, when it stands apart. */
type Edge = {
  line: Line
  words: string
  counts: number[]
  below: Line | undefined
  /** Lines between it and the edge. */
  outer: Line[]
}

function edgeOf({ lines, height }: PageLines, largest: number): Edge[] {
  const sorted = lines.toSorted((a, b) => a.y - b.y)
  const top = sorted.slice(0, OUTERMOST).filter(({ y }) => y < height * EDGE)
  const bottom = sorted.slice(-OUTERMOST).filter(({ y }) => y > height * (1 - EDGE))
  return [...new Set([...top, ...bottom])]
    .filter(({ size, rows }) => size <= largest && rows === undefined)
    .map((line) => {
      const at = sorted.indexOf(line)
      const [above, below] = [sorted[at - 1], sorted[at + 1]]
      const apart = [above, below].every((one) => !one || isApart(line, one))
      return {
        line,
        words: withoutNumbers(line.text),
        counts: apart ? numbersAtEnds(line.text) : [],
        below,
        outer: top.includes(line) ? sorted.slice(0, at) : sorted.slice(at + 1),
      }
    })
}

function numbersAtEnds(text: string): number[] {
  return [/^\d{1,5}(?=\s|$)/, /(?<=\s)\d{1,5}$/].flatMap((end) => {
    const number = end.exec(text)
    return number === null ? [] : [Number(number[0])]
  })
}

function repeats({ line, words, counts }: Edge, page: number, edges: Edge[][]): boolean {
  let found = 0
  for (let other = page - NEIGHBOURS; other <= page + NEIGHBOURS; other++) {
    if (other === page) continue
    const same = edges[other]?.some(
      (one) =>
        Math.abs(one.line.y - line.y) <= SAME_HEIGHT &&
        (one.words === words || counts.some((count) => one.counts.includes(count + other - page)))
    )
    if (same) found++
  }
  return found >= 2
}

/** What stands between furniture and the edge is furniture as well: below a title a line may only look like that of other pages. */
function isOutermost({ outer }: Edge, repeated: Edge[]): boolean {
  return outer.every((line) => repeated.some((one) => one.line === line))
}

/** A table that goes on has its head on each page again. */
function isTableHead({ line, below }: Edge, repeated: Edge[]): boolean {
  return (
    line.segments.length > 1 &&
    below !== undefined &&
    below.segments.length > 1 &&
    below.y - line.y <= line.size * TABLE_GAP &&
    !repeated.some((one) => one.line === below)
  )
}

/** Numbers, and the Roman ones of prefaces when they stand alone, are all alike. */
function withoutNumbers(text: string): string {
  return text
    .replace(/(?<![\p{L}\p{N}])[ivxlc]+(?![\p{L}\p{N}])/giu, '#')
    .replace(/\p{N}+/gu, '#')
    .replace(/\s+/g, '')
}

/** The number of the first page, as most numbers that count along have it: on pages of their own kind they stand elsewhere. */
function firstNumber(repeated: Edge[][]): number {
  const votes = new Map<number, number>()
  for (const [page, lines] of repeated.entries()) {
    for (const first of new Set(lines.flatMap(({ counts }) => counts.map((one) => one - page)))) {
      votes.set(first, (votes.get(first) ?? 0) + 1)
    }
  }
  const [first, pages] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [Number.NaN, 0]
  return pages < FEWEST_PAGES ? Number.NaN : first
}

function usualHeights(repeated: Edge[][]): Set<number> {
  const pages = new Map<number, number>()
  for (const lines of repeated) {
    for (const height of new Set(lines.map(({ line }) => heightOf(line)))) {
      pages.set(height, (pages.get(height) ?? 0) + 1)
    }
  }
  return new Set(
    [...pages].flatMap(([height, count]) => (count >= repeated.length * MOST_PAGES ? [height] : []))
  )
}

function heightOf({ y }: Line): number {
  return Math.round(y)
}

/** Whether it is the first or the last of its page and stands apart from the rest. */
function isOuter(line: Line, lines: Line[]): boolean {
  const others = lines.filter((one) => one !== line)
  const above = others.filter(({ y }) => y <= line.y)
  const below = others.filter(({ y }) => y > line.y)
  if (above.length > 0 && below.length > 0) return false
  return others.every((one) => isApart(line, one))
}

function isApart(line: Line, other: Line): boolean {
  return Math.abs(other.y - line.y) > line.size * 1.6
}
