const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** How a text begins, on one line, in whole characters and at most so many UTF-16 units. */
export function beginningOf(text: string, longest: number): string {
  const line = text
    .slice(0, 4 * longest)
    .replace(/\s+/g, ' ')
    .trim()
    .toWellFormed()
  if (line.length <= longest) return line
  const { index } = segmenter.segment(line).containing(longest - 1)!
  return `${line.slice(0, index).trimEnd()}…`
}
