import { createHash } from 'node:crypto'
import { cutText } from '../cut_text.ts'
import { fold } from './fold.ts'
import { ERROR_LENGTH, NAME_LENGTH } from './tables.ts'

/** Letters that a short text (stage, unit, code, an entry's id) may have. */
const SHORT_LENGTH = 250

/** Units of a folded name: NFKC may make a letter much longer. */
const FOLD_LENGTH = 255

/**
 * A text as every database takes it: PostgreSQL refuses NUL, and half a surrogate pair has no UTF-8. Both become U+FFFD, a
 * visible replacement, on all databases alike.
 */
export function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\ufffd') : whole
}

/**
 * A long text: cut only where the database could not take it at all.
 */
export function storableText(text: string, longest: number): string {
  return cutText(storable(text), longest)
}

export function storableShort(text: string): string {
  return cutText(storable(text), SHORT_LENGTH)
}

export function storableError(text: string): string {
  return cutText(storable(text), ERROR_LENGTH)
}

/**
 * How `queuedeck_names` holds a name. One that is too long is cut, with a checksum, so that two which begin alike stay two.
 * The same again for its own answer.
 */
export function storedName(name: string): string {
  const text = storable(name)
  if (text.length <= NAME_LENGTH) return text
  const checksum = createHash('sha256').update(text).digest('hex').slice(0, 8)
  return cutText(text, NAME_LENGTH - checksum.length) + checksum
}

/**
 * What names are compared by without case; takes what `storedName` gave.
 */
export function storedFold(name: string): string {
  const folded = fold(name)
  return folded.length <= FOLD_LENGTH ? folded : folded.slice(0, FOLD_LENGTH).toWellFormed()
}

/** Moments beyond it, of the year 2248, are nobody's: counts by day and by ten minutes would not fit their columns. */
const LAST_MOMENT = 2 ** 43

/**
 * When a record was made, epoch ms: whatever a producer says.
 */
export function storableCreation(moment: number): number {
  const at = storableNumber(moment) ?? 0
  return Math.max(-LAST_MOMENT, Math.min(LAST_MOMENT, at))
}

/**
 * A number for a whole-number column of `bits`; null where it is none.
 */
export function storableNumber(value: number | null, bits: 32 | 53 = 53): number | null {
  if (value === null || !Number.isFinite(value)) return null
  const most = bits === 32 ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER
  return Math.max(-most, Math.min(most, Math.round(value)))
}
