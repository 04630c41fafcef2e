import type { Steps } from '../breather.ts'
import type { Line } from './types.ts'

/** Fewer pairs of lines do not show what is usual; so few are enough where each goes on with the line before it for sure. */
const FEWEST_PAIRS = 6
const FEWEST_SURE_PAIRS = 3

/** A document with more letters of equal width than this is typewritten; one with less has much code. */
const TYPEWRITTEN = 0.85

/** What most of a document looks like. */
export type Body = {
  size: number
  /** Its text is of equally wide letters: those are then no sign of code. */
  mono: boolean
  bold: boolean
  sans: boolean
  /** Usual distance of two lines of a paragraph. */
  distance: number
  /** It was seen where lines go on with each other for sure. */
  sure: boolean
}

/**
 * What most letters of a document are set in.
 */
export function* bodySteps(pages: Line[][]): Steps<Body> {
  const sizes = new Map<number, number>()
  let [mono, bold, sans, all] = [0, 0, 0, 0]
  for (const lines of pages) {
    for (const line of lines) {
      const letters = line.text.length
      all += letters
      if (line.mono > 0) mono += letters
      if (line.bold) bold += letters
      if (line.sans) sans += letters
      const size = rounded(line.size)
      if (line.mono === 0) sizes.set(size, (sizes.get(size) ?? 0) + letters)
    }
    yield
  }
  const most = [...sizes].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]
  const size = most?.[0] ?? rounded(pages.find((lines) => lines.length > 0)?.[0].size ?? 0)
  const distances = { all: new Map<number, number>(), sure: new Map<number, number>() }
  for (const lines of pages) {
    const found = bodyDistances(lines, size)
    for (const distance of found.all) add(distances.all, distance)
    for (const distance of found.sure) add(distances.sure, distance)
    yield
  }
  const sure = [...distances.sure.values()].reduce((sum, one) => sum + one, 0) >= FEWEST_PAIRS
  return {
    size,
    mono: mono > all * TYPEWRITTEN,
    bold: bold > all * 0.5,
    sans: sans > all * 0.5,
    distance: firstQuarter(sure ? distances.sure : distances.all),
    sure,
  }
}

function add(distances: Map<number, number>, distance: number): void {
  const tenth = Math.round(distance * 10) / 10
  distances.set(tenth, (distances.get(tenth) ?? 0) + 1)
}

/**
 * Usual distance of two lines of a paragraph on a page: of those that go on with each other for sure, else of all. Where most
 * paragraphs are of one line, the document knows better.
 */
export function usualDistanceOf(lines: Line[], body: Body): number {
  const { all, sure } = bodyDistances(lines, body.size)
  if (sure.length >= FEWEST_SURE_PAIRS) return sure.sort((a, b) => a - b)[sure.length >> 1]
  if (all.length < FEWEST_PAIRS) return body.distance
  return body.sure ? Math.min(usualDistance(all), body.distance) : usualDistance(all)
}

/** Of all values the one after the first quarter. */
function firstQuarter(counts: Map<number, number>): number {
  let left = [...counts.values()].reduce((sum, count) => sum + count, 0) / 4
  for (const [value, count] of [...counts].sort((a, b) => a[0] - b[0])) {
    left -= count
    if (left < 0) return value
  }
  return Infinity
}

function bodyDistances(lines: Line[], size: number): { all: number[]; sure: number[] } {
  const isBody = (line: Line) =>
    line.rows === undefined && line.mono === 0 && rounded(line.size) === rounded(size)
  const sure = lines.slice(1).flatMap((line, index) => {
    const before = lines[index]
    const goesOn = isBody(before) && isBody(line) && goesOnForSure(before, line, size)
    return goesOn ? [line.y - before.y] : []
  })
  return { all: distancesOf(lines.filter(isBody)), sure }
}

/** Whether a line goes on with a sentence that fills the line before it. */
function goesOnForSure(before: Line, line: Line, size: number): boolean {
  return (
    line.y > before.y &&
    Math.abs(line.x - before.x) < size &&
    before.right > line.right - size * 3 &&
    !before.bold &&
    !line.bold &&
    /^\p{Ll}/u.test(line.text) &&
    !/[.!?:;]["')\]”’]*$/.test(before.text)
  )
}

export function distancesOf(lines: Line[]): number[] {
  return lines
    .slice(1)
    .map((line, index) => line.y - lines[index].y)
    .filter((distance) => distance > 0)
}

/** Of sorted distances the one after the first quarter: more than a quarter of all lines goes on with a paragraph. */
export function usualDistance(distances: number[]): number {
  const sorted = distances.sort((a, b) => a - b)
  return sorted[sorted.length >> 2] ?? Infinity
}

export function rounded(size: number): number {
  return Math.round(size * 2) / 2
}
