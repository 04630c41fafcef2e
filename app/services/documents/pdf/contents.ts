import type { Line, Segment } from './types.ts'

/** Dots between a title and its page. */
const LEADER = /(?:\s*[.·…]){5,}\s*|(?:\s*[.·…]){4}\s*(?=\d+$)/
/** What a leader begins with: most lines hold none, and looking for it is much cheaper. */
const DOTS = /[.·…]\s*[.·…]/
const CONTENTS_LINE = / … [\divxlc]+$/

const PAGE = /^(?:\d{1,4}|[ivxlc]+)$/

/** A page without dots is at least so far from its title, in sizes of its letters. */
const PAGE_GAP = 4

/** Pages at the end of an entry of an index; one that goes on in the next line ends with a comma. */
const INDEX_ENTRY = /, \d+(?:[–-]\d+)?$/
const CUT_INDEX_ENTRY = /, \d+(?:[–-]\d+)?,?$/

/** So many lines are enough to tell an index, when this share of them ends with pages. */
const INDEX = { lines: 6, share: 1 / 3 }

/** Whether dots lead from a title to its page. */
export function hasLeader(text: string): boolean {
  return DOTS.test(text) && LEADER.test(text)
}

/** A line with `…` for the dots. */
export function withShortLeader(text: string): string {
  return DOTS.test(text) ? text.replace(LEADER, ' … ') : text
}

/** Whether a text with short leaders is of a table of contents. */
export function isContentsLine(text: string): boolean {
  return CONTENTS_LINE.test(text)
}

/** A title without dots, and its page far to the right of it. */
export function isContentsEntry({ segments, size }: Line): boolean {
  if (segments.length < 2) return false
  const [title, page] = segments.slice(-2)
  return PAGE.test(page.text) && page.x - title.right > size * PAGE_GAP
}

/** Rows of titles and their pages. */
export function isContents(rows: string[][]): boolean {
  const pages = rows.filter((row) => /^(\d+|[ivxlc]+)$/i.test(row.at(-1)!)).length
  return pages >= rows.length * 0.8 && rows.every((row) => row.length === 2)
}

/** A word and the pages that it stands on. */
export function isIndexEntry({ text }: Line): boolean {
  return INDEX_ENTRY.test(text)
}

/** Whether a column is of an index. */
export function isIndex(segments: Segment[]): boolean {
  if (segments.length < INDEX.lines) return false
  const entries = segments.filter(({ text }) => CUT_INDEX_ENTRY.test(text)).length
  return entries >= segments.length * INDEX.share
}
