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

/** A longer paragraph above a line is none that a person would read as its title. */
const MOST_TITLE_LINES = 100

/** HTML in which nothing is Markdown: how it begins a line, and what it goes on to (CommonMark, "HTML blocks", 1 to 3 and 5). */
const RAW: [begin: RegExp, end: RegExp][] = [
  [/^ {0,3}<(?:script|pre|style|textarea)(?:[\s>]|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^ {0,3}<!--/, /-->/],
  [/^ {0,3}<\?/, /\?>/],
  [/^ {0,3}<!\[CDATA\[/, /\]\]>/],
]

/** Lines that are looked at in one step. */
const STEP = 5_000

/**
 * Splits a text with line feeds into blocks: headings, fenced code, paragraphs, and the metadata in front of it. What looks
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
  let open = null as { start: number; end: number; lines: number } | null

  const close = () => {
    if (open !== null) blocks.push({ kind: 'paragraph', start: open.start, end: open.end })
    open = null
  }
  const add = ({ start, end }: Line) => {
    open ??= { start, end, lines: 0 }
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
    const fence = sign === '`' || sign === '~' ? FENCE.exec(line.text) : null
    if (fence !== null && !(fence[1][0] === '`' && fence[2].includes('`'))) {
      close()
      let last = line
      const isEnd = endOf(fence[1])
      for (let inner = lines.next(); inner !== null; inner = lines.next()) {
        if (lines.read % STEP === 0) yield
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
      if (line.text.trimEnd() !== mark) continue
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

/** A fence that nobody closes goes to the end. */
function endOf(mark: string): (line: string) => boolean {
  const closing = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}[ \\t]*$`)
  return (line) => closing.test(line)
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
    const end = found === -1 ? this.text.length : found
    this.#at = end + 1
    this.read++
    return { text: this.text.slice(start, end), start, end }
  }

  rewind(): void {
    this.#at = 0
  }
}
