const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Letters that take two columns of a terminal: East Asian wide ones and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u

/** Colours and weights take no column. */
// eslint-disable-next-line no-control-regex
const STYLE = /\u001b\[[\d;]*m/g

/** How many columns a text takes. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const { segment } of GRAPHEMES.segment(text.replace(STYLE, ''))) columns += widthOf(segment)
  return columns
}

/** The text in exactly so many columns: cut with a mark, or filled up with spaces; `end` puts it to the right. */
export function fit(text: string, columns: number, end = false): string {
  if (columns <= 0) return ''
  const cut = cutTo(text, columns)
  const space = ' '.repeat(Math.max(0, columns - columnsOf(cut)))
  return end ? space + cut : cut + space
}

/** The text in at most so many columns. Only for text without styles. */
export function cutTo(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let used = 0
  let cut = ''
  for (const { segment } of GRAPHEMES.segment(text)) {
    const width = widthOf(segment)
    if (used + width > columns - 1) break
    used += width
    cut += segment
  }
  return `${cut}…`
}

function widthOf(grapheme: string): number {
  return WIDE.test(grapheme) ? 2 : /^\p{M}|^\u200b/u.test(grapheme) ? 0 : 1
}
