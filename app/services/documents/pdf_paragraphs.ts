import type { Segment } from './pdf_lines.ts'

/** Lines further apart than this many times the usual distance belong to different paragraphs. */
const PARAGRAPH_GAP = 1.4

/** Letters this much larger than those of the body are a heading. */
const HEADING = 1.15

const LONGEST_HEADING = 200

type Paragraph = { text: string; size: number }

/**
 * Pages of lines as Markdown, one text a page: paragraphs, and headings by the size of their letters.
 */
export function pagesAsMarkdown(pages: Segment[][]): string[] {
  const body = bodySize(pages.flat())
  const paragraphs = pages.map(paragraphsOf)
  const headings = [
    ...new Set(
      paragraphs
        .flat()
        .filter((one) => isHeading(one, body))
        .map((one) => one.size)
    ),
  ].sort((a, b) => b - a)
  return paragraphs.map((page) =>
    page
      .map((one) =>
        isHeading(one, body)
          ? `${'#'.repeat(Math.min(6, headings.indexOf(one.size) + 1))} ${one.text}`
          : one.text.replace(/^(#{1,6} |```|~~~)/, '\\$1')
      )
      .join('\n\n')
  )
}

function isHeading({ size, text }: Paragraph, body: number): boolean {
  return size >= body * HEADING && text.length <= LONGEST_HEADING
}

/** The size in which most letters are set. */
function bodySize(lines: Segment[]): number {
  const letters = new Map<number, number>()
  for (const { size, text } of lines) {
    letters.set(rounded(size), (letters.get(rounded(size)) ?? 0) + text.length)
  }
  return [...letters].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? 0
}

function paragraphsOf(lines: Segment[]): Paragraph[] {
  const usual = usualDistance(lines)
  const paragraphs: Paragraph[] = []
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1]
    const paragraph = paragraphs.at(-1)
    if (before === undefined || paragraph === undefined || apart(before, line, usual)) {
      paragraphs.push({ text: line.text, size: rounded(line.size) })
    } else {
      paragraph.text = continued(paragraph.text, line.text)
    }
  }
  return paragraphs
}

function apart(before: Segment, line: Segment, usual: number): boolean {
  if (rounded(before.size) !== rounded(line.size)) return true
  if (/^([•▪‣–-]|\d+[.)])\s/.test(line.text)) return true
  const distance = line.y - before.y
  /** Upwards: the next column goes on with the same paragraph when the last line does not end a sentence. */
  if (distance < 0) return /[.!?:]["')\]]?$/.test(before.text)
  return distance > usual * PARAGRAPH_GAP
}

function usualDistance(lines: Segment[]): number {
  const distances = lines
    .slice(1)
    .map((line, index) => line.y - lines[index].y)
    .filter((distance) => distance > 0)
    .sort((a, b) => a - b)
  return distances[distances.length >> 2] ?? Infinity
}

/**
 * Joins two lines. A word that was broken at the line's end is made whole; a hyphen in front of a capital or a digit belongs
 * to its word.
 */
export function continued(text: string, line: string): string {
  if (/\p{L}-$/u.test(text) && /^\p{Ll}/u.test(line)) return text.slice(0, -1) + line
  if (/[\p{L}\p{N}]-$/u.test(text) && /^[\p{L}\p{N}]/u.test(line)) return text + line
  if (/\u00ad$/.test(text)) return text.slice(0, -1) + line
  return `${text} ${line}`
}

function rounded(size: number): number {
  return Math.round(size * 2) / 2
}
