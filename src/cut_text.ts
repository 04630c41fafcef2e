const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * How much of a text in front of the cut is looked at, in UTF-16 units: one cluster may be of any length.
 */
const WINDOW = 4_096

/**
 * A text of at most `longest` UTF-16 units, the mark included, as every reader takes it: cut between whole characters (grapheme
 * clusters), and with U+FFFD where half a surrogate pair stands. Only a cluster that is longer than all there is room for is cut
 * within, between code points.
 *
 * @param mark stands where something was cut off
 */
export function cutText(text: string, longest: number, mark = '…'): string {
  if (text.length <= longest) {
    return text.toWellFormed()
  }
  const end = lastBoundary(text, Math.max(0, longest - mark.length))
  return text.slice(0, end).toWellFormed() + mark
}

/**
 * The last place at or before `room` at which no character is cut.
 */
function lastBoundary(text: string, room: number): number {
  const from = Math.max(0, room - WINDOW)
  /** One code point behind the room is enough to tell whether a cluster goes on there. */
  const around = text.slice(from, room + 2)
  const boundary = from + (graphemes.segment(around).containing(room - from)?.index ?? 0)
  if (boundary > from) {
    return boundary
  }
  const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(room - 1))
  return splitsPair ? room - 1 : room
}
