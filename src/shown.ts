import { cutText } from './cut_text.ts'

/**
 * The beginning of whatever somebody gave, for a message that names it. Some objects cannot be made text.
 *
 * @param most UTF-16 units
 */
export function shown(value: unknown, most: number): string {
  try {
    return cutText(String(value), most)
  } catch {
    return typeof value
  }
}
