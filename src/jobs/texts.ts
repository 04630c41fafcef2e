const MARK = '…'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * Cuts a text at a whole character (grapheme cluster), so that it has at most `longest` UTF-16 units, the mark included.
 */
export function cutText(text: string, longest: number): string {
  if (text.length <= longest) {
    return text
  }
  let end = 0
  /** One cluster may be long (combining marks have no limit), so only as much as could be kept is looked at. */
  for (const { index, segment } of graphemes.segment(text.slice(0, longest + 64))) {
    if (index + segment.length > longest - MARK.length) {
      break
    }
    end = index + segment.length
  }
  return text.slice(0, end) + MARK
}
