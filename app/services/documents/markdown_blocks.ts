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
const ATX = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/
const SETEXT = /^ {0,3}(=+|-{2,})[ \t]*$/

/**
 * Splits a text with line feeds into blocks: headings, fenced code, paragraphs, and the metadata in front of it. What looks
 * like a heading inside of fenced code is code (CommonMark, "Fenced code blocks").
 */
export function markdownBlocks(text: string): Block[] {
  const lines = linesOf(text)
  const blocks: Block[] = []
  let at = metadata(lines, blocks)
  let open: Line[] = []

  const close = () => {
    if (open.length > 0) {
      blocks.push({ kind: 'paragraph', start: open[0].start, end: open.at(-1)!.end })
    }
    open = []
  }

  while (at < lines.length) {
    const line = lines[at]
    const fence = FENCE.exec(line.text)
    const atx = ATX.exec(line.text)
    const setext = open.length > 0 ? SETEXT.exec(line.text) : null
    if (fence !== null && !(fence[1][0] === '`' && fence[2].includes('`'))) {
      close()
      const last = endOfFence(lines, at, fence[1])
      blocks.push({ kind: 'code', start: line.start, end: lines[last].end })
      at = last + 1
      continue
    }
    if (atx !== null) {
      close()
      blocks.push({
        kind: 'heading',
        start: line.start,
        end: line.end,
        level: atx[1].length,
        title: (atx[2] ?? '').trim(),
      })
    } else if (setext !== null) {
      blocks.push({
        kind: 'heading',
        start: open[0].start,
        end: line.end,
        level: setext[1][0] === '=' ? 1 : 2,
        title: open.map((part) => part.text.trim()).join(' '),
      })
      open = []
    } else if (line.text.trim() === '') {
      close()
    } else {
      open.push(line)
    }
    at++
  }
  close()
  return blocks
}

/**
 * Metadata between two lines of `---` at the very beginning; gives the index of the first line behind it.
 */
function metadata(lines: Line[], blocks: Block[]): number {
  if (lines[0]?.text.trimEnd() !== '---') return 0
  const last = lines.findIndex((line, index) => index > 0 && line.text.trimEnd() === '---')
  if (last === -1) return 0
  blocks.push({ kind: 'metadata', start: 0, end: lines[last].end })
  return last + 1
}

/** A fence that nobody closes goes to the end. */
function endOfFence(lines: Line[], from: number, mark: string): number {
  const closing = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}[ \\t]*$`)
  const last = lines.findIndex((line, index) => index > from && closing.test(line.text))
  return last === -1 ? lines.length - 1 : last
}

function linesOf(text: string): Line[] {
  const lines: Line[] = []
  let start = 0
  for (const part of text.split('\n')) {
    lines.push({ text: part, start, end: start + part.length })
    start += part.length + 1
  }
  return lines
}
