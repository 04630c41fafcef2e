import { extname } from 'node:path'
import { DocumentProblem } from './document_problem.ts'
import { Breather } from './breather.ts'
import { type Block, markdownBlockSteps } from './markdown_blocks.ts'
import { htmlAsMarkdownSteps } from './html/markdown.ts'
import { pagesAsMarkdown } from './pdf/markdown.ts'
import { readPdf, type ReadHooks } from './pdf/reader.ts'
import { plainBlockSteps } from './plain_blocks.ts'
import { textSteps } from './text_bytes.ts'

/** Several pages together; neighbours share pages. Offsets in UTF-16 units of the document's text. */
export type PageSplit = { firstPage: number; lastPage: number; start: number; end: number }

export type Warning = { source: string; code: string; message: string }

/**
 * A document as Markdown, with where its parts are.
 */
export type ParsedDocument = {
  source: string
  format: 'pdf' | 'markdown' | 'text' | 'html'
  text: string
  blocks: Block[]
  /** Of PDF files, in order; empty pages too. `label` is what the document itself calls the page, such as `iv`. */
  pages: { start: number; end: number; label?: string }[]
  splits: PageSplit[]
  /** Lines that the text leaves out because they stand on page after page, such as running heads. */
  droppedLines: number
  warnings: Warning[]
}

export type ParseOptions = {
  /** Pages in one split, and how many of them it shares with the next. */
  pages: number
  overlap: number
}

const FORMATS: Record<string, ParsedDocument['format']> = {
  '.pdf': 'pdf',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'text',
  '.html': 'html',
  '.htm': 'html',
}

/** What a document calls a page is cut there. */
const LONGEST_LABEL = 40

const NO_WORDS = 'holds no words: is it written by scripts?'

/** Extensions of documents that can be read. */
export const EXTENSIONS = Object.keys(FORMATS)

/**
 * Reads a document by what its name ends with, giving way to everything else of the process.
 *
 * @throws DocumentProblem
 */
export async function parseDocument(
  source: string,
  bytes: Uint8Array,
  options: ParseOptions,
  hooks: ReadHooks = {}
): Promise<ParsedDocument> {
  const format = FORMATS[extname(source).toLowerCase()]
  if (format === undefined) {
    throw new DocumentProblem(
      'UNKNOWN_FORMAT',
      `is none of the formats that can be read: ${EXTENSIONS.join(', ')}`
    )
  }
  const breather = new Breather()
  if (format !== 'pdf') {
    const written = await breather.through(textSteps(bytes))
    const text = format === 'html' ? await breather.through(htmlAsMarkdownSteps(written)) : written
    const steps = format === 'text' ? plainBlockSteps(text) : markdownBlockSteps(text)
    return {
      source,
      format,
      text,
      blocks: await breather.through(steps),
      pages: [],
      splits: [],
      droppedLines: 0,
      warnings: /\S/.test(text)
        ? []
        : [{ source, code: 'NO_TEXT', message: format === 'html' ? NO_WORDS : 'is empty' }],
    }
  }
  const { pages: lines, labels, warnings } = await readPdf(bytes, hooks)
  const { text, pages, dropped } = await pagesAsMarkdown(lines)
  return {
    source,
    format,
    text,
    blocks: await breather.through(markdownBlockSteps(text)),
    pages: pages.map((page, index) => {
      const label = labels?.[index] ?? ''
      return label === '' ? page : { ...page, label: label.slice(0, LONGEST_LABEL).toWellFormed() }
    }),
    splits: splitsOf(pages, options),
    droppedLines: dropped,
    warnings: warnings.map(({ code, message }) => ({ source, code, message })),
  }
}

/**
 * Windows over pages; the last one always brings a page that none before it has.
 */
export function splitsOf(
  pages: { start: number; end: number }[],
  options: ParseOptions
): PageSplit[] {
  const splits: PageSplit[] = []
  for (let first = 0; first < pages.length; first += options.pages - options.overlap) {
    const last = Math.min(first + options.pages, pages.length) - 1
    splits.push({
      firstPage: first + 1,
      lastPage: last + 1,
      start: pages[first].start,
      end: pages[last].end,
    })
    if (last === pages.length - 1) break
  }
  return splits
}
