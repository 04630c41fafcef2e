import type { Steps } from '../breather.ts'
import { listMarker } from './lists.ts'
import { tableAt } from './tables.ts'
import type { Line } from './types.ts'

/** Letters this much larger than those of the body are a heading. */
const HEADING = 1.15

/** Lines further apart than this many times the usual distance belong to different paragraphs. */
const PARAGRAPH_GAP = 1.35

const LONGEST_HEADING = 200
const LONGEST_BOLD_HEADING = 120

/** What stands below a picture or above a table is no heading, however it is set. */
const CAPTION = /^(?:figure|fig\.|table|example|listing|abbildung|tabelle)\s+[\dA-Z]/i

/** Numbers of a section of a section: nobody numbers sentences so. */
const NUMBERED = /^\d{1,2}(?:\.\d{1,3})+\.?\s+\p{Lu}.*[^.,:;!?]$/u

/** So many headings of one kind without anything between them are lines of something else, such as a poem. */
const LONGEST_RUN = 3

/** Dots between a title and its page in a table of contents. */
const LEADER = /(?:\s*[.·…]){4,}\s*/
/** What a leader begins with: most lines hold none, and looking for it is much cheaper. */
const DOTS = /[.·…]\s*[.·…]/
const CONTENTS_LINE = / … [\divxlc]+$/

/**
 * What lines of a page are together. Texts of one block are still apart, as their lines were.
 */
export type PdfBlock =
  | { kind: 'heading'; size: number; bold: boolean; texts: string[] }
  | { kind: 'paragraph'; size: number; bold: boolean; texts: string[] }
  | { kind: 'item'; marker: string; depth: number; texts: string[] }
  | { kind: 'code'; lines: string[] }
  | { kind: 'table'; rows: string[][] }

/** What most of a document looks like. */
export type Body = {
  size: number
  /** Its text is of equally wide letters: those are then no sign of code. */
  mono: boolean
  bold: boolean
  sans: boolean
  /** Usual distance of two lines. */
  distance: number
}

/** Fewer pairs of lines do not show what is usual on a page. */
const FEWEST_PAIRS = 6

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
  const distances = new Map<number, number>()
  for (const lines of pages) {
    for (const distance of bodyDistances(lines, size)) {
      const tenth = Math.round(distance * 10) / 10
      distances.set(tenth, (distances.get(tenth) ?? 0) + 1)
    }
    yield
  }
  return {
    size,
    mono: mono > all * 0.6,
    bold: bold > all * 0.5,
    sans: sans > all * 0.5,
    distance: firstQuarter(distances),
  }
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

/**
 * Paragraphs, headings, list items, code and tables of a page.
 */
export function blocksOf(lines: Line[], body: Body): PdfBlock[] {
  return new PageBlocks(lines, body).all()
}

function hasLeader(text: string): boolean {
  return DOTS.test(text) && LEADER.test(text)
}

class PageBlocks {
  #blocks: PdfBlock[] = []
  /** Left edges of the marks of the lists that are open, outermost first. */
  #lists: number[] = []
  #before: Line | null = null
  #usual: number

  constructor(
    private lines: Line[],
    private body: Body
  ) {
    const distances = bodyDistances(lines, body.size)
    this.#usual = distances.length < FEWEST_PAIRS ? body.distance : usualDistance(distances)
  }

  all(): PdfBlock[] {
    for (let at = 0; at < this.lines.length;) at += this.#take(at)
    return withoutRuns(this.#blocks.map((block) => asHeading(block, this.body)))
  }

  /** Takes what begins at a line; gives how many lines it took. */
  #take(at: number): number {
    const line = this.lines[at]
    if (this.#isCode(at)) return this.#code(at)
    const table = tableAt(this.lines, at)
    if (table !== null && !isContents(table.rows)) {
      this.#blocks.push({ kind: 'table', rows: table.rows })
      this.#before = null
      return table.lines
    }
    const flat = line.text.replace(/\s+/g, ' ')
    const text = DOTS.test(flat) ? flat.replace(LEADER, ' … ') : flat
    const marker = this.#isLarge(line) || this.#standsOut(line) ? null : listMarker(text)
    if (marker !== null && !this.#goesOn(line, true)) this.#item(line, marker)
    else if (this.#goesOn(line)) this.#append(line, text)
    else this.#begin(line, text)
    this.#before = line
    return 1
  }

  #item(line: Line, { marker, rest }: { marker: string; rest: string }): void {
    const tolerance = line.size * 0.7
    while (this.#lists.length > 0 && this.#lists.at(-1)! > line.x + tolerance) this.#lists.pop()
    const level = this.#lists.at(-1)
    if (level === undefined || level < line.x - tolerance) this.#lists.push(line.x)
    this.#blocks.push({ kind: 'item', marker, depth: this.#lists.length - 1, texts: [rest] })
  }

  #begin(line: Line, text: string): void {
    if (this.#lists.length > 0 && line.x <= this.#lists[0] + line.size * 0.5) this.#lists = []
    if (this.#isLarge(line)) this.#lists = []
    this.#blocks.push({
      kind: this.#isLarge(line) ? 'heading' : 'paragraph',
      size: rounded(line.size),
      bold: this.#standsOut(line),
      texts: [text],
    })
  }

  #append(line: Line, text: string): void {
    const block = this.#blocks.at(-1)!
    if ('texts' in block) block.texts.push(text)
    if ('bold' in block) block.bold &&= this.#standsOut(line)
  }

  /** Whether a line belongs to the block of the line before it. */
  #goesOn(line: Line, marked = false): boolean {
    const before = this.#before
    const block = this.#blocks.at(-1)
    if (before === null || block === undefined || !('texts' in block)) return false
    if (this.#isLarge(before) !== this.#isLarge(line)) return false
    if (!alike(before.size, line.size)) return false
    const distance = line.y - before.y
    if (/\p{L}-$/u.test(before.text) && /^\p{Ll}/u.test(line.text) && !marked) return true
    /** Upwards: the next column goes on with the same paragraph when the last line does not end a sentence. */
    if (distance < 0) return !marked && !/[.!?:]["')\]”’]?$/.test(before.text)
    if (distance > this.#usual * PARAGRAPH_GAP) return false
    if (hasLeader(before.text) || hasLeader(line.text)) return false
    if (block.kind === 'heading') return true
    if (this.#standsOut(before) !== this.#standsOut(line)) return !isShort(before, line)
    const indented = line.x - before.x
    /** A number at the beginning of a line in the middle of a sentence begins no list. */
    if (marked) {
      return (
        block.kind === 'paragraph' &&
        !isShort(before, line) &&
        Math.abs(indented) < line.size * 0.3 &&
        /[\p{Ll},]$/u.test(before.text) &&
        /^\d/.test(line.text)
      )
    }
    if (block.kind === 'item') {
      return indented > -line.size * 0.5 || !(isShort(before, line) || endsSentence(before))
    }
    if (Math.abs(indented) > line.size * 0.8 && block.texts.length > 1) {
      return !endsSentence(before) && indented < 0
    }
    return !(isShort(before, line) && endsSentence(before))
  }

  /** Its letters are not those of the body: bold, or without serifs where the body has them. */
  #standsOut({ bold, sans, mono, text }: Line): boolean {
    const other = mono === 0 && sans !== this.body.sans
    return ((bold && !this.body.bold) || other) && /\p{L}/u.test(text)
  }

  #isLarge({ size, text }: Line): boolean {
    return rounded(size) >= this.body.size * HEADING && /\p{L}/u.test(text)
  }

  #isCode(at: number): boolean {
    const line = this.lines[at]
    if (line.mono === 0 || this.body.mono || this.#isLarge(line)) return false
    const before = this.#before
    const block = this.#blocks.at(-1)
    /** A long name in the middle of a paragraph may fill a line. */
    const inside =
      before !== null &&
      (block?.kind === 'paragraph' || block?.kind === 'item') &&
      before.mono === 0 &&
      Math.abs(before.x - line.x) < 1.5 &&
      line.y > before.y &&
      line.y - before.y <= this.#usual * 1.1 &&
      !/[.:;]$/.test(before.text) &&
      this.lines[at + 1]?.mono === 0 &&
      this.lines[at + 1].y - line.y <= this.#usual * 1.1
    return !inside
  }

  #code(at: number): number {
    let to = at
    while (to < this.lines.length && this.lines[to].mono > 0) {
      const distance = to === at ? 0 : this.lines[to].y - this.lines[to - 1].y
      if (distance < 0 || distance > this.lines[to].size * 3.2) break
      to++
    }
    const lines = this.lines.slice(at, to)
    const left = lines.reduce((x, line) => Math.min(x, line.x), Infinity)
    const pitch = usualDistance(distancesOf(lines))
    const texts: string[] = []
    for (const [index, line] of lines.entries()) {
      const gap = index === 0 ? 0 : line.y - lines[index - 1].y
      if (gap > pitch * 1.6) texts.push('')
      texts.push(' '.repeat(Math.min(60, Math.round((line.x - left) / line.mono))) + line.text)
    }
    this.#blocks.push({ kind: 'code', lines: texts })
    this.#before = null
    return to - at
  }
}

/** A short paragraph all in bold letters is a heading; a long one in large letters is none. */
function asHeading(block: PdfBlock, body: Body): PdfBlock {
  if (block.kind !== 'heading' && block.kind !== 'paragraph') return block
  const text = block.texts.join(' ')
  const bold =
    block.bold &&
    block.size >= body.size * 0.95 &&
    text.length <= LONGEST_BOLD_HEADING &&
    /\p{L}{2}/u.test(text) &&
    !/[.,:;!?]$/.test(text)
  const large = block.kind === 'heading' && text.length <= LONGEST_HEADING
  const numbered = text.length <= LONGEST_BOLD_HEADING && NUMBERED.test(text)
  const none = CAPTION.test(text) || CONTENTS_LINE.test(text)
  return { ...block, kind: (bold || large || numbered) && !none ? 'heading' : 'paragraph' }
}

/** Many headings of one kind one after the other are lines of a display, a sample or a title page. */
function withoutRuns(blocks: PdfBlock[]): PdfBlock[] {
  const kind = (block: PdfBlock | undefined) =>
    block?.kind === 'heading' ? `${block.size}/${block.bold}` : null
  const runs = new Map<number, number>()
  let start = 0
  for (const [index, block] of blocks.entries()) {
    if (index > 0 && kind(block) !== kind(blocks[index - 1])) start = index
    runs.set(start, index - start + 1)
  }
  let first = 0
  return blocks.map((block, index) => {
    if (runs.has(index)) first = index
    const tooMany = block.kind === 'heading' && runs.get(first)! > LONGEST_RUN
    return tooMany ? { ...block, kind: 'paragraph' } : block
  })
}

/** Rows of titles and their pages. */
function isContents(rows: string[][]): boolean {
  const pages = rows.filter((row) => /^(\d+|[ivxlc]+)$/i.test(row.at(-1)!)).length
  return pages >= rows.length * 0.8 && rows.every((row) => row.length === 2)
}

function isShort(before: Line, line: Line): boolean {
  return before.right < Math.max(before.right, line.right) - before.size * 3
}

function endsSentence({ text }: Line): boolean {
  return /[.!?:…]["')\]”’]*$/.test(text)
}

function bodyDistances(lines: Line[], size: number): number[] {
  return distancesOf(
    lines.filter((line) => line.mono === 0 && rounded(line.size) === rounded(size))
  )
}

function distancesOf(lines: Line[]): number[] {
  return lines
    .slice(1)
    .map((line, index) => line.y - lines[index].y)
    .filter((distance) => distance > 0)
}

/** Of sorted distances the one after the first quarter: more than a quarter of all lines goes on with a paragraph. */
function usualDistance(distances: number[]): number {
  const sorted = distances.sort((a, b) => a - b)
  return sorted[sorted.length >> 2] ?? Infinity
}

function alike(one: number, two: number): boolean {
  return Math.abs(one - two) <= Math.max(one, two) * 0.08
}

export function rounded(size: number): number {
  return Math.round(size * 2) / 2
}
