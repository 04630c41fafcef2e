import { cutText } from '../cut_text.ts'

/** Letters of a name inside a sentence. */
const LONGEST_NAME = 120

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB']

const UNITS = [
  { unit: 'd', length: 86_400_000 },
  { unit: 'h', length: 3_600_000 },
  { unit: 'min', length: 60_000 },
  { unit: 's', length: 1_000 },
]

/**
 * A duration in its two largest units: `1 h 12 min`, `40 s`.
 */
export function span(milliseconds: number): string {
  const at = UNITS.findIndex(({ length }) => milliseconds >= length)
  if (at === -1) return `${Math.max(0, Math.round(milliseconds))} ms`
  const { unit, length } = UNITS[at]
  const first = Math.floor(milliseconds / length)
  const next = UNITS[at + 1]
  const rest = next ? Math.floor((milliseconds % length) / next.length) : 0
  return `${first} ${unit}${rest > 0 ? ` ${rest} ${next.unit}` : ''}`
}

/** Bytes as pages show them: `7.6 GB`, a thousand at a time. */
export function size(bytes: number): string {
  const power = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log10(bytes || 1) / 3)))
  const value = bytes / 1_000 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${SIZES[power]}`
}

/**
 * A name that somebody else gave, in one line and in quotes.
 */
export function named(name: string): string {
  return `"${cutText(oneLine(name), LONGEST_NAME)}"`
}

/** Without line breaks and other control characters, which would forge a line of a mail or a log. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
