import { type Body, distancesOf, rounded, usualDistance, usualDistanceOf } from './body.ts'
import {
  hasLeader,
  isContents,
  isContentsEntry,
  isContentsLine,
  isIndexEntry,
  withShortLeader,
} from './contents.ts'
import { listMarker } from './lists.ts'
import { withoutPictures } from './pictures.ts'
import { Placed } from './placed.ts'
import { tableAt } from './tables.ts'
import type { Line } from './types.ts'

/** Letters this much larger than those of the body are a heading. */
const HEADING = 1.15

/** Lines further apart than this many times the usual distance belong to different paragraphs. */
const PARAGRAPH_GAP = 1.35

const LONGEST_HEADING = 200
const LONGEST_BOLD_HEADING = 120

/** What stands below a picture or above a table is no heading, however it is set. */
const CAPTION =
  /^(?:figure|fig\.|table|example|listing|abbildung|tabelle)\s+(?:\d|[a-z](?!\p{L})|[ivxlc]+(?!\p{L}))/iu

/** The title of a box that stands in the text: what follows the box would come under it. */
const BOX =
  /^(?:note|tip|hint|important|caution|warning|danger|attention|hinweis|tipp|achtung|warnung)$/i

/** An address on a line of its own, and the middle of a sentence in larger letters, are no headings either. */
const NO_HEADING = /^(?:https?:\/\/\S+|\p{Ll}.*[.,;])$/u

/** Numbers of a section of a section: nobody numbers sentences so. Those of versions are shorter than those in front of small letters. */
const NUMBERED = /^\d{1,2}(?:(?:\.\d{1,3})+\.?\s+\p{Lu}|(?:\.\d{1,3}){3,}\.?\s+\p{Ll}).*[^.,:;!]$/u

/** What a title of the size of the text stands above is further from it than lines are from each other. */
const TITLE_GAP = 1.12

/** The text of a list item begins no further behind its mark, in sizes of its letters. */
const DEEPEST_TEXT = 3

/** Code on top of a page that is the rest of a listing is indented by fewer letters than this. */
const DEEPEST_CODE = 24

/** So many headings of one kind without anything between them are lines of something else, such as a poem. */
const LONGEST_RUN = 3

/** The number in front of a heading. */
const SECTION = /^(?:\p{L}+ )?[\dIVX]+(?:\.\d+)*\.?$|^[A-Z](?:\.\d+)*\.?$/u

/** Tables that may go on behind a note between their rows. */
const MOST_TABLES = 4

/** Distance of two lines of one heading, in sizes of its letters. */
const HEADING_DISTANCE = 1.4

/**
 * What lines of a page are together. Texts of one block are still apart, as their lines were.
 */
export type PdfBlock =
  | { kind: 'heading'; size: number; bold: boolean; row: boolean; texts: string[] }
  /** `under`: spaces that it is indented by, below the item that it belongs to. */
  | {
      kind: 'paragraph'
      size: number
      bold: boolean
      row: boolean
      texts: string[]
      under?: number
    }
  | { kind: 'item'; marker: string; depth: number; texts: string[] }
  | { kind: 'code'; lines: string[] }
  /** Lines of a cell may still be apart, by `\n`. Where rules part its columns it says where they begin. */
  | { kind: 'table'; rows: string[][]; columns?: number[]; headed?: boolean }

/** Code that ends with its page: its left edge, and the width of its letters. */
export type OpenCode = { left: number; mono: number }

/**
 * Paragraphs, headings, list items, code and tables of a page.
 *
 * @param open code that the page before ends with: it may go on, with its own left edge
 */
export function blocksOf(
  lines: Line[],
  body: Body,
  open: OpenCode | null = null
): { blocks: PdfBlock[]; open: OpenCode | null } {
  const page = new PageBlocks(lines, body, open)
  return { blocks: page.all(), open: page.open }
}

class PageBlocks {
  /** Code that the page ends with. */
  open: OpenCode | null = null
  #blocks: PdfBlock[] = []
  /** The lines that blocks which may be headings begin with. */
  #firsts = new Map<PdfBlock, Line>()
  /** Left edges of the marks of the lists that are open, outermost first, and where the texts of their last items begin in Markdown. */
  #lists: { x: number; indent: number }[] = []
  /** Where the columns of the last tables begin. */
  #tables: number[][] = []
  #before: Line | null = null
  #usual: number

  constructor(
    private lines: Line[],
    private body: Body,
    private carried: OpenCode | null
  ) {
    this.#usual = usualDistanceOf(lines, body)
  }

  all(): PdfBlock[] {
    for (let at = 0; at < this.lines.length;) at += this.#take(at)
    const placed = new Placed(this.lines.filter((line) => this.#isText(line)))
    const firsts = this.#blocks.map((block) => this.#firsts.get(block))
    const blocks = this.#blocks.map((block, index) => {
      const first = firsts[index]
      return asHeading(block, this.body, first === undefined || placed.admits(first))
    })
    const isAtLeft = (index: number) => {
      const first = firsts[index]
      return first === undefined || placed.isAtLeft(first)
    }
    return withoutRuns(withoutPictures(blocks, isAtLeft))
  }

  #isText(line: Line): boolean {
    if (line.rows !== undefined) return false
    return line.mono === 0 && rounded(line.size) === this.body.size && !this.#standsOut(line)
  }

  /** Takes what begins at a line; gives how many lines it took. */
  #take(at: number): number {
    const line = this.lines[at]
    if (line.rows !== undefined) {
      const { rows, columns, headed, title, size } = line
      if (title) {
        const texts = title.split('\n')
        this.#blocks.push({ kind: 'paragraph', size, bold: false, row: true, texts })
      }
      this.#blocks.push({ kind: 'table', rows, columns, headed })
      this.#before = null
      return 1
    }
    if (this.#isCode(at)) return this.#code(at)
    const table = tableAt(this.lines, at, this.#tables)
    if (table !== null && !isContents(table.rows)) {
      this.#blocks.push({ kind: 'table', rows: table.rows })
      this.#tables = [...this.#tables.slice(1 - MOST_TABLES), table.columns]
      this.#before = null
      return table.lines
    }
    const flat = line.text.replace(/\s+/g, ' ')
    const text = withShortLeader(flat)
    const marker = this.#isLarge(line) || this.#standsOut(line) ? null : listMarker(text)
    if (marker !== null && !this.#goesOn(line, true)) this.#item(line, marker)
    else if (this.#goesOn(line)) this.#append(line, text)
    else this.#begin(line, text)
    this.#before = line
    return 1
  }

  #item(line: Line, { marker, rest }: { marker: string; rest: string }): void {
    const tolerance = line.size * 0.7
    while (this.#lists.length > 0 && this.#lists.at(-1)!.x > line.x + tolerance) this.#lists.pop()
    let level = this.#lists.at(-1)
    if (level === undefined || level.x < line.x - tolerance) {
      level = { x: line.x, indent: 0 }
      this.#lists.push(level)
    }
    level.indent = 2 * (this.#lists.length - 1) + marker.length + 1
    this.#blocks.push({ kind: 'item', marker, depth: this.#lists.length - 1, texts: [rest] })
  }

  #begin(line: Line, text: string): void {
    if (this.#lists.length > 0 && line.x <= this.#lists[0].x + line.size * 0.5) this.#lists = []
    if (this.#isLarge(line)) this.#lists = []
    const block: PdfBlock = {
      kind: this.#isLarge(line) ? 'heading' : 'paragraph',
      size: rounded(line.size),
      bold: this.#standsOut(line),
      row: isContentsEntry(line) || (!this.#isLarge(line) && isRow(line)),
      texts: [text],
    }
    const item = this.#lists.findLast(({ x }) => x < line.x - line.size * 0.5)
    const isUnder = item !== undefined && line.x < item.x + line.size * DEEPEST_TEXT
    if (
      block.kind === 'paragraph' &&
      isUnder &&
      !block.bold &&
      !block.row &&
      !isContentsLine(text)
    ) {
      block.under = item.indent
    }
    this.#blocks.push(block)
    this.#firsts.set(block, line)
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
    if (this.#isSameHeading(line)) return true
    if (this.#isLarge(before) !== this.#isLarge(line)) return false
    if (!alike(before.size, line.size)) return false
    const distance = line.y - before.y
    if (/\p{L}-$/u.test(before.text) && /^\p{Ll}/u.test(line.text) && !marked) return true
    const indented = line.x - before.x
    if (block.kind === 'paragraph' && isIndexEntry(before)) {
      if (isIndexEntry(line) || Math.abs(indented) > line.size * 0.8) return false
    }
    /** Upwards: the next column goes on with the same paragraph when the last line does not end a sentence. */
    if (distance < 0) return !marked && !/[.!?:]["')\]”’]?$/.test(before.text)
    if (distance > this.#usual * PARAGRAPH_GAP) return false
    if (hasLeader(before.text) || isContentsEntry(before) || isContentsEntry(line)) return false
    /** The title of an entry of a table of contents may take two lines. */
    if (hasLeader(line.text)) {
      const most = before.right > line.x + (line.right - line.x) * 0.6
      return block.kind === 'paragraph' && block.texts.length === 1 && most && !marked
    }
    if (block.kind === 'heading') return true
    if (block.kind === 'paragraph' && block.texts.length === 1 && NUMBERED.test(before.text)) {
      if (isShort(before, line) || distance > this.#usual * TITLE_GAP) return false
    }
    if (this.#standsOut(before) !== this.#standsOut(line)) return !marked && !isShort(before, line)
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
    if (Math.abs(indented) > line.size * 0.8 && isCentred(before, line)) {
      return !endsSentence(before)
    }
    if (Math.abs(indented) > line.size * 0.8 && block.texts.length > 1) {
      return !endsSentence(before) && indented < 0
    }
    return !(isShort(before, line) && endsSentence(before))
  }

  /** The next line of a heading, whatever its letters are. */
  #isSameHeading(line: Line): boolean {
    const before = this.#before
    const block = this.#blocks.at(-1)
    if (before === null || block?.kind !== 'heading' || block.row) return false
    const distance = line.y - before.y
    return (
      alike(before.size, line.size) &&
      distance > 0 &&
      distance < line.size * HEADING_DISTANCE &&
      !isContentsEntry(line)
    )
  }

  /** Its letters are not those of the body: bold, or without serifs where the body has them. */
  #standsOut({ bold, sans, mono, text }: Line): boolean {
    const other = mono === 0 && sans !== null && sans !== this.body.sans
    return ((bold && !this.body.bold) || other) && /\p{L}/u.test(text)
  }

  /** Large letters of equal width that are not bold are those of a picture. */
  #isLarge({ size, text, mono, bold }: Line): boolean {
    if (mono > 0 && !bold && !this.body.mono) return false
    return rounded(size) >= this.body.size * HEADING && /\p{L}/u.test(text)
  }

  #isCode(at: number): boolean {
    const line = this.lines[at]
    if (line.mono === 0 || this.body.mono || this.#isLarge(line)) return false
    if (this.#isSameHeading(line)) return false
    const before = this.#before
    const block = this.#blocks.at(-1)
    const next = this.lines[at + 1]
    const near = next !== undefined && next.y > line.y && next.y - line.y <= this.#usual * 1.1
    /** A long name in the middle of a paragraph may fill a line, and one at its end may take two. */
    const inside =
      before !== null &&
      (block?.kind === 'paragraph' || block?.kind === 'item') &&
      before.mono === 0 &&
      Math.abs(before.x - line.x) < 1.5 &&
      line.y > before.y &&
      line.y - before.y <= this.#usual * 1.1 &&
      !/[.:;]$/.test(before.text) &&
      (near ? next.mono === 0 : before.monoEnd && !isShort(before, line))
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
    const { mono } = lines[0]
    const own = lines.reduce((x, line) => Math.min(x, line.x), Infinity)
    const left = at === 0 && goesOnFrom(this.carried, own, mono) ? this.carried!.left : own
    if (to === this.lines.length) this.open = { left, mono }
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

/** Whether code at the top of a page, with this left edge, is the rest of what the page before ends with. */
function goesOnFrom(before: OpenCode | null, left: number, mono: number): boolean {
  if (before === null || !alike(before.mono, mono)) return false
  return left > before.left - mono / 2 && left < before.left + mono * DEEPEST_CODE
}

/** A short paragraph all in bold letters is a heading; a long one in large letters is none. */
function asHeading(block: PdfBlock, body: Body, placed: boolean): PdfBlock {
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
  const none =
    CAPTION.test(text) ||
    BOX.test(text) ||
    isContentsLine(text) ||
    block.row ||
    NO_HEADING.test(text)
  const heading = (((bold || large) && placed) || numbered) && !none
  return { ...block, kind: heading ? 'heading' : 'paragraph' }
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

/** Cells beside each other, such as the head of a table; a number in front of a heading is none. */
function isRow({ segments }: Line): boolean {
  return segments.length > 1 && !(segments.length === 2 && SECTION.test(segments[0].text))
}

function isShort(before: Line, line: Line): boolean {
  return before.right < Math.max(before.right, line.right) - before.size * 3
}

/** Lines one below the other whose middles are the same, but not their ends. */
function isCentred(before: Line, line: Line): boolean {
  return Math.abs(before.x + before.right - line.x - line.right) < line.size * 0.6
}

function endsSentence({ text }: Line): boolean {
  return /[.!?:…]["')\]”’]*$/.test(text)
}

function alike(one: number, two: number): boolean {
  return Math.abs(one - two) <= Math.max(one, two) * 0.08
}
