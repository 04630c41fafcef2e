import { cutText } from './cut_text.ts'

/**
 * The beginning of whatever somebody gave, for a message that names it. Objects that have no words for themselves, and lists of
 * such, are told by their kind: what stands in them may be large, nested without end, and no reader's business.
 *
 * @param most UTF-16 units
 */
export function shown(value: unknown, most: number): string {
  if (value === undefined) return 'nothing'
  if (typeof value !== 'object' || value === null) return cutText(String(value), most)
  if (Array.isArray(value) && value.length === 0) return 'an empty list'
  try {
    const text = String(value)
    if (!/\[object \w+\]/.test(text)) return cutText(text, most)
  } catch {
    /** Told by its kind as well. */
  }
  return Array.isArray(value) ? 'a list' : 'an object'
}

/** The same where another kind of value is wanted: `not 2` would leave whoever gave the text "2" at a loss. */
export function shownWithKind(value: unknown, most: number): string {
  return typeof value === 'string' ? `the text "${shown(value, most)}"` : shown(value, most)
}
