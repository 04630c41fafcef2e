import { Breather } from '../breather.ts'
import { fenced, literal, plain, tableOf } from '../markdown_text.ts'
import { blocksOf, type OpenCode, type PdfBlock } from './blocks.ts'
import { bodySteps } from './body.ts'
import { furnitureSteps } from './furniture.ts'
import { compoundSteps, jointOf } from './joints.ts'
import type { PageLines } from './types.ts'

/**
 * A document as Markdown, and where its pages are in it.
 */
export type PagedMarkdown = {
  text: string
  pages: { start: number; end: number }[]
  /** Lines left out because they stand on every page. */
  dropped: number
}

/**
 * Pages of lines as Markdown. A paragraph that a page's end cuts goes on without a break, and gives way between pages.
 */
export async function pagesAsMarkdown(input: PageLines[]): Promise<PagedMarkdown> {
  const breather = new Breather()
  const body = await breather.through(bodySteps(input.map(({ lines }) => lines)))
  const pages = await breather.through(furnitureSteps(input, body.size))
  const blocks: PdfBlock[][] = []
  let open: OpenCode | null = null
  for (const { lines } of pages) {
    const page = blocksOf(lines, body, open)
    blocks.push(page.blocks)
    open = page.open
    await breather.breathe()
  }
  const compounds = await breather.through(compoundSteps(pages))
  const writer = new Writer(levelsOf(blocks), compounds)
  for (const page of blocks) {
    writer.page(page)
    await breather.breathe()
  }
  return {
    ...writer.whole(),
    dropped: pages.reduce((sum, page) => sum + page.dropped, 0),
  }
}

/** Where one weight has so many times the headings of the other, the other's hold a name that is not bold, and are no kind of their own. */
const MANY_TIMES = 2

/** The share of all headings up to which a kind of heading is rare. */
const RARE = 0.015

type Heading = Extract<PdfBlock, { kind: 'heading' }>

/**
 * Larger headings are above smaller ones, bold ones above others of their size. A kind that is rare, such as the lines of
 * a title page or the letters of a picture, has no level of its own.
 */
function levelsOf(pages: PdfBlock[][]): (heading: Heading) => number {
  const rank = ({ size, bold }: Heading) => size * 4 + Number(bold)
  const uses = new Map<number, number>()
  let all = 0
  for (const blocks of pages) {
    for (const block of blocks) {
      if (block.kind !== 'heading') continue
      uses.set(rank(block), (uses.get(rank(block)) ?? 0) + 1)
      all++
    }
  }
  const rare = Math.max(1, all * RARE)
  const levels = new Map<number, number>()
  let level = 0
  for (const [one, count] of [...uses].sort((a, b) => b[0] - a[0])) {
    const isBold = one % 2 === 1
    const other = uses.get(isBold ? one - 1 : one + 1) ?? 0
    const alike = other > 0 && Math.max(count, other) >= Math.min(count, other) * MANY_TIMES
    const together = alike ? count + other : count
    const sameAsBold = alike && !isBold
    if (!sameAsBold && (level === 0 || (together > rare && level < 6))) level++
    levels.set(one, level)
  }
  return (heading) => levels.get(rank(heading))!
}

/**
 * Writes blocks one below the other, and keeps pages apart until all are there.
 */
class Writer {
  #pages: { between: string; text: string }[] = []
  #last: { block: PdfBlock; page: number } | null = null

  constructor(
    private levelOf: (heading: Heading) => number,
    private compounds: Set<string>
  ) {}

  page(blocks: PdfBlock[]): void {
    const page = { between: '', text: '' }
    const number = this.#pages.push(page) - 1
    for (const block of blocks) {
      const last = this.#last
      const first = last?.page !== number
      const markdown = this.#markdownOf(block)
      const table = last !== null && first ? cutTable(last.block, block) : null
      if (last !== null && first && goesOn(last.block, block)) {
        const before = this.#pages[last.page]
        const { cut, between } = jointOf(before.text, markdown, this.compounds)
        before.text = before.text.slice(0, before.text.length - cut)
        page.between = between
        page.text = markdown
      } else if (table !== null) {
        page.between = '\n'
        const [head, , ...rows] = markdown.split('\n')
        page.text = [head, ...rows].join('\n')
        this.#last = { block: table, page: number }
        continue
      } else {
        const between = last === null ? '' : separator(last.block, block)
        if (first) page.between = between
        page.text += (first ? '' : between) + markdown
      }
      this.#last = { block, page: number }
    }
  }

  whole(): { text: string; pages: { start: number; end: number }[] } {
    let end = 0
    const pages = this.#pages.map(({ between, text }) => {
      const start = end + between.length
      end = start + text.length
      return { start, end }
    })
    return { text: this.#pages.map(({ between, text }) => between + text).join(''), pages }
  }

  #markdownOf(block: PdfBlock): string {
    switch (block.kind) {
      case 'heading':
        return `${'#'.repeat(this.levelOf(block))} ${literal(this.#text(block.texts))}`
      case 'paragraph':
        return ' '.repeat(block.under ?? 0) + plain(literal(this.#text(block.texts)))
      case 'item':
        return `${'  '.repeat(block.depth)}${block.marker} ${literal(this.#text(block.texts))}`.trimEnd()
      case 'code':
        return fenced(block.lines)
      case 'table':
        return tableOf(
          block.rows.map((cells) => cells.map((cell) => literal(this.#text(cell.split('\n')))))
        )
    }
  }

  #text(lines: string[]): string {
    const parts = [lines[0]]
    for (const [index, line] of lines.slice(1).entries()) {
      const { cut, between } = jointOf(lines[index], line, this.compounds)
      const last = parts.pop()!
      parts.push(last.slice(0, last.length - cut), between + line)
    }
    return parts.join('')
  }
}

/** Points that columns of one table may be apart on two pages. */
const SAME_COLUMNS = 2

/** The whole of a table that a page's end cuts, where the next page has no head of it again; null where there is none. */
function cutTable(before: PdfBlock, block: PdfBlock): PdfBlock | null {
  if (before.kind !== 'table' || block.kind !== 'table' || block.headed) return null
  const [one, two] = [before.columns, block.columns]
  const same =
    one !== undefined &&
    one.length === two?.length &&
    one.every((at, column) => Math.abs(at - two[column]) < SAME_COLUMNS) &&
    before.rows[0].join() !== block.rows[0].join()
  return same ? { ...block, rows: [before.rows[0], ...block.rows] } : null
}

function separator(before: PdfBlock, block: PdfBlock): string {
  return before.kind === 'item' && block.kind === 'item' ? '\n' : '\n\n'
}

/** A paragraph at the top of a page that goes on with the last one of the page before. */
function goesOn(before: PdfBlock, block: PdfBlock): boolean {
  if (block.kind !== 'paragraph' || block.bold) return false
  if (before.kind !== 'paragraph' && before.kind !== 'item') return false
  if (before.kind === 'paragraph' && before.bold) return false
  const end = before.texts.at(-1)!
  return /^\p{Ll}/u.test(block.texts[0]) && !/[.!?:…]["')\]”’]*$/.test(end)
}
