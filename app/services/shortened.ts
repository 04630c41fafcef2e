/** Longest value that a message names. */
const LONGEST = 80

/**
 * A value as a message names it: cut where it is long, but never within a letter of two code units.
 */
export function shortened(text: string): string {
  if (text.length <= LONGEST) return text
  return `${text.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
