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
const CLOSING_TICKS = /^ {0,3}(`+)[ \t]*$/
const CLOSING_TILDES = /^ {0,3}(~+)[ \t]*$/
const ATX = /^ {0,3}(#{1,6})(?=[ \t]|$)/
const SETEXT = /^ {0,3}(=+|-{2,})[ \t]*$/

/**
 * Splits a text with line feeds into blocks: headings, fenced code, paragraphs, and the metadata in front of it. What looks
 * like a heading inside of fenced code is code (CommonMark, "Fenced code blocks").
 */
export function markdownBlocks(text: string): Block[] {
  return [...blocksIn(text)]
}

/**
 * The same, one block after the other, for texts so long that others need a turn in between.
 */
export function* blocksIn(text: string): Generator<Block> {
  let open: Line[] = []
  let line = lineAt(text, 0)
  const metadata = metadataOf(text)
  if (metadata !== null) {
    yield metadata
    line = lineAt(text, metadata.end + 1)
  }
  for (; line !== null; line = lineAt(text, line.end + 1)) {
    const fence = FENCE.exec(line.text)
    const atx = ATX.exec(line.text)
    const setext = open.length > 0 ? SETEXT.exec(line.text) : null
    if (fence !== null && !(fence[1][0] === '`' && fence[2].includes('`'))) {
      if (open.length > 0) yield paragraphOf(open)
      open = []
      const { start } = line
      line = endOfFence(text, line, fence[1])
      yield { kind: 'code', start, end: line.end }
    } else if (atx !== null) {
      if (open.length > 0) yield paragraphOf(open)
      open = []
      yield {
        kind: 'heading',
        start: line.start,
        end: line.end,
        level: atx[1].length,
        title: withoutClosing(line.text.slice(atx[0].length).trim()),
      }
    } else if (setext !== null) {
      yield {
        kind: 'heading',
        start: open[0].start,
        end: line.end,
        level: setext[1][0] === '=' ? 1 : 2,
        title: open.map((part) => part.text.trim()).join(' '),
      }
      open = []
    } else if (line.text.trim() === '') {
      if (open.length > 0) yield paragraphOf(open)
      open = []
    } else {
      open.push(line)
    }
  }
  if (open.length > 0) yield paragraphOf(open)
}

function paragraphOf(lines: Line[]): Block {
  return { kind: 'paragraph', start: lines[0].start, end: lines.at(-1)!.end }
}

/** The marks that may close a heading as they opened it. */
function withoutClosing(title: string): string {
  let end = title.length
  while (title[end - 1] === '#') end--
  const closes = end < title.length && (end === 0 || /[ \t]/.test(title[end - 1]))
  return closes ? title.slice(0, end).trimEnd() : title
}

/** Metadata between two lines of `---` at the very beginning. */
function metadataOf(text: string): Block | null {
  if (lineAt(text, 0)?.text.trimEnd() !== '---') return null
  const closing = /\n---[^\S\n]*(?=\n|$)/.exec(text)
  return closing === null
    ? null
    : { kind: 'metadata', start: 0, end: closing.index + closing[0].length }
}

/** The last line of a fence; one that nobody closes goes to the end. */
function endOfFence(text: string, opening: Line, mark: string): Line {
  const closing = mark[0] === '`' ? CLOSING_TICKS : CLOSING_TILDES
  let last = opening
  for (let line = lineAt(text, opening.end + 1); line !== null;) {
    last = line
    const found = closing.exec(line.text)
    if (found !== null && found[1].length >= mark.length) break
    line = lineAt(text, line.end + 1)
  }
  return last
}

function lineAt(text: string, start: number): Line | null {
  if (start > text.length) return null
  const feed = text.indexOf('\n', start)
  const end = feed === -1 ? text.length : feed
  return { text: text.slice(start, end), start, end }
}
