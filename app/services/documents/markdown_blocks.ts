import { atOnce, type Steps } from './breather.ts'

/**
 * One block of a Markdown text; `start` and `end` are offsets in UTF-16 units, so that `text.slice(start, end)` is the block.
 */
export type Block = {
  kind: 'heading' | 'paragraph' | 'code' | 'metadata'
  start: number
  end: number
  /** 1 to 6, of headings. */
  level?: number
  /** Words of a heading, without its marks. */
  title?: string
}

type Line = { text: string; start: number; end: number }

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/
const SETEXT = /^ {0,3}(=+|-{2,})[ \t]*$/

/** Marks of lists in front of a fence: it begins in an item. */
const ITEM_MARKS = /^ {0,3}(?:(?:[-+*]|\d{1,9}[.)])[ \t]{1,4})+(?=`{3}|~{3})/

/** Quotations, link definitions, tables, items of lists and HTML: a line of dashes below is a rule, and they are no title. */
const NO_TITLE =
  /^ {0,3}(?:>|\||\[[^\]]{1,300}\]:|(?:[-+*]|1[.)])[ \t]+\S|(?=[^|]{1,300}\|)[-:][-:|\t ]*$|<\/?(?:address|article|aside|blockquote|center|details|dialog|div|dl|dd|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|iframe|li|main|nav|ol|p|section|summary|table|tbody|td|tfoot|th|thead|tr|ul)(?:[\s/>]|$))/i
/** The same of what only begins a paragraph: other numbers, code by its indentation, a tag that stands alone. */
const NO_TITLE_FIRST =
  /^(?: {0,3}\t| {4}| {0,3}\d{1,9}[.)][ \t]| {0,3}<\/?[a-z][\w-]*(?:\s[^<>]*)?>\s*$)/i

/** A longer paragraph above a line is none that a person would read as its title. */
const MOST_TITLE_LINES = 100

/** HTML in which nothing is Markdown: how it begins a line, and what it goes on to (CommonMark, "HTML blocks", 1 to 3 and 5). */
const RAW: [begin: RegExp, end: RegExp][] = [
  [/^ {0,3}<(?:script|pre|style|textarea)(?:[\s>]|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^ {0,3}<!--/, /-->/],
  [/^ {0,3}<\?/, /\?>/],
  [/^ {0,3}<!\[CDATA\[/, /\]\]>/],
]

/** The first sign of an item. */
const MARK_SIGN = /[-+*\d]/

/** Lines that are looked at in one step. */
const STEP = 5_000

/**
 * Splits a text into blocks, with line ends of Windows too: headings, fenced code, paragraphs, and the metadata in front of it. What looks
 * like a heading inside of fenced code is code (CommonMark, "Fenced code blocks"); inside of a comment or of `<pre>` it is none either.
 */
export function markdownBlocks(text: string): Block[] {
  return atOnce(markdownBlockSteps(text))
}

/** The same in steps of some thousand lines. */
export function* markdownBlockSteps(text: string): Steps<Block[]> {
  const blocks: Block[] = []
  const lines = new Lines(text)
  metadata(lines, blocks)
  /** Where the paragraph that is open stands: a list of its lines could be longer than the text. */
  let open = null as { start: number; end: number; lines: number; title: boolean } | null

  const close = () => {
    if (open !== null) blocks.push({ kind: 'paragraph', start: open.start, end: open.end })
    open = null
  }
  const add = ({ text: words, start, end }: Line) => {
    open ??= { start, end, lines: 0, title: !NO_TITLE_FIRST.test(words) }
    open.title &&= !NO_TITLE.test(words)
    open.end = end
    open.lines++
  }

  for (let line = lines.next(); line !== null; line = lines.next()) {
    if (lines.read % STEP === 0) yield
    const sign = signOf(line.text)
    if (sign === '') {
      close()
      continue
    }
    const marks = MARK_SIGN.test(sign) ? (ITEM_MARKS.exec(line.text)?.[0] ?? '') : ''
    const isFence = marks !== '' || sign === '`' || sign === '~'
    const fence = isFence ? FENCE.exec(line.text.slice(marks.length)) : null
    if (fence !== null && !(fence[1][0] === '`' && fence[2].includes('`'))) {
      close()
      let last = line
      const inside = columnsOf(marks)
      const isEnd = endOf(fence[1], inside)
      for (let inner = lines.next(); inner !== null; inner = lines.next()) {
        if (lines.read % STEP === 0) yield
        if (inside > 0 && columnsOf(indentOf(inner.text)) < inside && inner.text.trim() !== '') {
          lines.rewind(inner.start)
          break
        }
        last = inner
        if (isEnd(inner.text)) break
      }
      blocks.push({ kind: 'code', start: line.start, end: last.end })
      continue
    }
    const end = sign === '<' ? endOfRaw(line.text) : undefined
    if (end !== undefined) {
      add(line)
      for (let last: Line | null = line; last !== null && !end.test(last.text);) {
        if (lines.read % STEP === 0) yield
        last = lines.next()
        if (last !== null) add(last)
      }
      continue
    }
    const heading = sign === '#' ? headingOf(line.text) : null
    if (heading !== null) {
      close()
      blocks.push({ kind: 'heading', start: line.start, end: line.end, ...heading })
      continue
    }
    const isTitle =
      open !== null &&
      open.title &&
      open.lines <= MOST_TITLE_LINES &&
      (sign === '=' || sign === '-') &&
      SETEXT.test(line.text)
    if (!isTitle) {
      add(line)
      continue
    }
    const { start, end: last } = open!
    const title = text.slice(start, last).split('\n')
    blocks.push({
      kind: 'heading',
      start,
      end: line.end,
      level: sign === '=' ? 1 : 2,
      title: title.map((part) => part.trim()).join(' '),
    })
    open = null
  }
  close()
  return blocks
}

/**
 * Metadata between two lines of `---` (YAML) or `+++` (TOML) at the very beginning.
 */
function metadata(lines: Lines, blocks: Block[]): void {
  const mark = lines.next()?.text.trimEnd()
  if (mark === '---' || mark === '+++') {
    for (let line = lines.next(); line !== null; line = lines.next()) {
      const words = line.text.trimEnd()
      /** A rule: behind it stands an empty line, behind the mark of YAML none (Pandoc has the same rule). */
      if (mark === '---' && lines.read === 2 && words === '') break
      if (words !== mark) continue
      blocks.push({ kind: 'metadata', start: 0, end: line.end })
      return
    }
  }
  lines.rewind()
}

/** The first letter of a line that is indented by three spaces at most; a space of others, nothing of an empty one. */
function signOf(line: string): string {
  let at = 0
  while (at < 3 && line[at] === ' ') at++
  const sign = line[at]
  if (sign === undefined || sign === ' ' || sign === '\t') return line.trim() === '' ? '' : ' '
  return sign
}

function endOfRaw(line: string): RegExp | undefined {
  return RAW.find(([begin]) => begin.test(line))?.[1]
}

/** CommonMark, "ATX headings". */
function headingOf(line: string): { level: number; title: string } | null {
  const text = line.trim()
  let level = 0
  while (text[level] === '#') level++
  const behind = text[level]
  if (level > 6 || (behind !== undefined && behind !== ' ' && behind !== '\t')) return null
  let end = text.length
  while (end > level && text[end - 1] === '#') end--
  const closed = end > level && text[end - 1] !== ' ' && text[end - 1] !== '\t'
  return { level, title: text.slice(level, closed ? text.length : end).trim() }
}

/** A fence that nobody closes goes to the end, or to that of its item. */
function endOf(mark: string, inside: number): (line: string) => boolean {
  const closing = new RegExp(`^\\${mark[0]}{${mark.length},}[ \\t]*$`)
  return (line) => {
    const indent = indentOf(line)
    return columnsOf(indent) - inside <= 3 && closing.test(line.slice(indent.length))
  }
}

function indentOf(line: string): string {
  return line.slice(0, line.length - line.trimStart().length)
}

/** Width of what stands at the beginning of a line. */
function columnsOf(text: string): number {
  let columns = 0
  for (const letter of text) columns += letter === '\t' ? 4 - (columns % 4) : 1
  return columns
}

/**
 * The lines of a text, one after the other: a list of all would be several times as large as the text.
 */
class Lines {
  read = 0
  #at = 0

  constructor(private text: string) {}

  next(): Line | null {
    const start = this.#at
    if (start > this.text.length) return null
    const found = this.text.indexOf('\n', start)
    const last = found === -1 ? this.text.length : found
    const end = last > start && this.text[last - 1] === '\r' ? last - 1 : last
    this.#at = last + 1
    this.read++
    return { text: this.text.slice(start, end), start, end }
  }

  /** Goes on at a line that begins there. */
  rewind(start = 0): void {
    this.#at = start
  }
}
