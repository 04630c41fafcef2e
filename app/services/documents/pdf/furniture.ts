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

/** When so many pages have furniture at a height, what stands there alone on the others is furniture too. */
const MOST_PAGES = 0.6

/**
 * Pages without their running heads, feet and numbers: lines at the edge that stand at the same height on pages nearby and
 * say the same there but for their numbers.
 */
export function withoutFurniture(
  pages: PageLines[],
  bodySize: number
): { lines: Line[]; dropped: number }[] {
  if (pages.length < FEWEST_PAGES) return pages.map(({ lines }) => ({ lines, dropped: 0 }))
  const edges = pages.map((page) => edgeOf(page, bodySize * LARGEST))
  const repeated = edges.map((lines, page) => lines.filter((line) => repeats(line, page, edges)))
  const heights = usualHeights(repeated)
  return pages.map(({ lines }, page) => {
    const furniture = new Set(repeated[page])
    for (const line of edges[page]) {
      if (isOuter(line, lines) && heights.has(heightOf(line))) furniture.add(line)
    }
    return { lines: lines.filter((line) => !furniture.has(line)), dropped: furniture.size }
  })
}

function edgeOf({ lines, height }: PageLines, largest: number): Line[] {
  const sorted = lines.toSorted((a, b) => a.y - b.y)
  const top = sorted.slice(0, OUTERMOST).filter(({ y }) => y < height * EDGE)
  const bottom = sorted.slice(-OUTERMOST).filter(({ y }) => y > height * (1 - EDGE))
  return [...new Set([...top, ...bottom])].filter(({ size }) => size <= largest)
}

function repeats(line: Line, page: number, edges: Line[][]): boolean {
  const words = withoutNumbers(line.text)
  let found = 0
  for (let other = page - NEIGHBOURS; other <= page + NEIGHBOURS; other++) {
    if (other === page) continue
    const same = edges[other]?.some(
      (one) => Math.abs(one.y - line.y) <= SAME_HEIGHT && withoutNumbers(one.text) === words
    )
    if (same) found++
  }
  return found >= 2
}

/** Numbers, and the Roman ones of prefaces when they stand alone, are all alike. */
function withoutNumbers(text: string): string {
  return text
    .replace(/(?<![\p{L}\p{N}])[ivxlc]+(?![\p{L}\p{N}])/giu, '#')
    .replace(/\p{N}+/gu, '#')
    .replace(/\s+/g, '')
}

function usualHeights(repeated: Line[][]): Set<number> {
  const pages = new Map<number, number>()
  for (const lines of repeated) {
    for (const height of new Set(lines.map(heightOf))) {
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
  const nearest = [...above, ...below].reduce(
    (gap, one) => Math.min(gap, Math.abs(one.y - line.y)),
    Infinity
  )
  return nearest > line.size * 1.6
}
