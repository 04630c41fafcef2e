import type { ParsedDocument } from './parsed_document.ts'

/**
 * What was made of a document, without its text: which split covers which pages and which part of the text, where each page
 * is, and what was left out. Offsets in UTF-16 units of the parsed document's text, as `parsed` names it.
 */
export type Manifest = {
  source: string
  format: ParsedDocument['format']
  /** Id of the parsed document. */
  parsed: string
  characters: number
  /** Pages of a split, and how many of them it shares with the next. */
  split: { pages: number; overlap: number }
  /** `number` counts from 1; `label` is what the document itself calls the page, where it says so. */
  pages: { number: number; label?: string; start: number; end: number }[]
  splits: { firstPage: number; lastPage: number; start: number; end: number }[]
  /** Lines that stand on every page, such as running heads and page numbers, which the text leaves out. */
  droppedLines: number
  warnings: { code: string; message: string }[]
}

/**
 * The manifest of a parsed document; the same document gives the same one.
 */
export function manifestOf(
  document: ParsedDocument,
  parsed: string,
  split: { pages: number; overlap: number }
): Manifest {
  return {
    source: document.source,
    format: document.format,
    parsed,
    characters: document.text.length,
    split: { pages: split.pages, overlap: split.overlap },
    pages: document.pages.map(({ start, end, label }, index) => ({
      number: index + 1,
      ...(label === undefined ? undefined : { label }),
      start,
      end,
    })),
    splits: document.splits,
    droppedLines: document.droppedLines,
    warnings: document.warnings.map(({ code, message }) => ({ code, message })),
  }
}
