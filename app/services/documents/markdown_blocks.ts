import { atOnce, type Steps } from './breather.ts'
import { Containers } from './markdown_containers.ts'

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

/** HTML up to the next empty line (CommonMark, "HTML blocks", 6). */
const HTML =
  /^ {0,3}<\/?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:[\s/>]|$)/i

/** Quotations, link definitions, tables and items of lists: a line of dashes below is a rule, and they are no title. */
const NO_TITLE =
  /^ {0,3}(?:>|\||\[[^\]]{1,300}\]:|(?:[-+*]|1[.)])[ \t]+\S|(?=[^|]{1,300}\|)[-:][-:|\t ]*$)/
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

/** Lines that are looked at in one step. */
const STEP = 5_000

/**
 * Splits a text into blocks, with line ends of Windows too: headings, fenced code, paragraphs, and the metadata in front of it. What looks
 * like a heading inside of fenced code is code (CommonMark, "Fenced code blocks"); inside of HTML it is none either.
 */
export function markdownBlocks(text: string): Block[] {
  return atOnce(markdownBlockSteps(text))
}

/** The same in steps of some thousand lines. */
export function* markdownBlockSteps(text: string): Steps<Block[]> {
  const blocks: Block[] = []
  const lines = new Lines(text)
  const containers = new Containers()
  metadata(lines, blocks)
  /** Where the paragraph that is open stands: a list of its lines could be longer than the text. */
  let open = null as {
    start: number
    end: number
    lines: number
    title: boolean
    html: boolean
  } | null

  const close = () => {
    if (open !== null) blocks.push({ kind: 'paragraph', start: open.start, end: open.end })
    open = null
  }
  const add = ({ text: words, start, end }: Line) => {
    const html = HTML.test(words)
    open ??= { start, end, lines: 0, title: !NO_TITLE_FIRST.test(words), html }
    open.html ||= html
    open.title &&= !open.html && !NO_TITLE.test(words)
    open.end = end
    open.lines++
  }

  for (let line = lines.next(); line !== null; line = lines.next()) {
    if (lines.read % STEP === 0) yield
    const sign = signOf(line.text)
    if (sign === '') {
      containers.enter('', false)
      close()
      continue
    }
    const inner = containers.enter(line.text, open !== null)
    const fence = fenceOf(inner)
    if (fence !== null) {
      close()
      const last = yield* endOfCode(lines, line, fence, containers)
      blocks.push({ kind: 'code', start: line.start, end: last })
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
    const heading = sign === '#' && open?.html !== true ? headingOf(line.text) : null
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
 * Metadata between two lines of `---` (YAML, whose last may be `...`) or `+++` (TOML) at the very beginning.
 */
function metadata(lines: Lines, blocks: Block[]): void {
  const mark = lines.next()?.text.trimEnd()
  if (mark === '---' || mark === '+++') {
    for (let line = lines.next(); line !== null; line = lines.next()) {
      const words = line.text.trimEnd()
      /** A rule: behind it stands an empty line, behind the mark of YAML none (Pandoc has the same rule). */
      if (mark === '---' && lines.read === 2 && words === '') break
      if (words !== mark && !(mark === '---' && words === '...')) continue
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

/** The backticks or tildes that begin fenced code. */
function fenceOf(line: string): string | null {
  const fence = FENCE.exec(line)
  return fence === null || (fence[1][0] === '`' && fence[2].includes('`')) ? null : fence[1]
}

/**
 * Reads to the end of fenced code. One that nobody closes goes to the end, or to that of its item or quotation; code whose fence stands
 * at the edge of the text may leave its item, as many writers let it.
 */
function* endOfCode(
  lines: Lines,
  { text, end }: Line,
  fence: string,
  containers: Containers
): Steps<number> {
  const atEdge = FENCE.test(text)
  const closing = new RegExp(`^ {0,3}\\${fence[0]}{${fence.length},}[ \\t]*$`)
  for (let line = lines.next(); line !== null; line = lines.next()) {
    if (lines.read % STEP === 0) yield
    const inner = containers.inside(line.text)
    if (inner === null && !atEdge) {
      lines.rewind(line.start)
      break
    }
    end = line.end
    if (closing.test(inner ?? line.text)) break
  }
  return end
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
