import type { Steps } from '../breather.ts'

/** They begin at words only, so that a line of a hundred thousand letters is looked at once. */
const HYPHENATED = /(?<!\p{L})\p{L}+(?:[-‐‑]\p{L}+)+/gu
const HYPHEN = /[-‐‑]/
const HYPHENS = /[‐‑]/g
const MIXED_INSIDE = /\p{Ll}\p{Lu}/u
const MIXED = /(?<!\p{L})\p{Lu}?\p{Ll}+\p{Lu}\p{L}*/gu

/**
 * Words with a hyphen that stand inside of a line: broken there, they keep it. And words with a capital inside: broken in
 * front of it, they had none.
 */
export function* compoundSteps(pages: { lines: { text: string }[] }[]): Steps<Set<string>> {
  const compounds = new Set<string>()
  for (const { lines } of pages) {
    for (const { text } of lines) {
      if (HYPHEN.test(text)) {
        for (const [word] of text.matchAll(HYPHENATED)) compounds.add(known(word))
      }
      if (MIXED_INSIDE.test(text)) {
        for (const [word] of text.matchAll(MIXED)) compounds.add(word)
      }
    }
    yield
  }
  return compounds
}

/** What an address or a path that was broken behind one of its signs ends with; sentences go on with a capital there. */
const BROKEN_ADDRESS = /(?:(?:@|:\/\/|www\.)[^\s@]*[./:]|:\/\/|[\p{L}\d]\/)$/u

/** What the name of a machine or a file that was broken behind a dot ends with; no abbreviation has parts of two letters. */
const BROKEN_HOST = /(?<![^\s(@])(?:\p{Ll}[\p{Ll}\d-]+\.){2,}$/u

/** The whole of a compound up to the line's end, which may be broken at one hyphen and have others. */
const BROKEN_COMPOUND = /(?:\p{L}+[-‐])+$/u

/** A hyphen that stays with the word in front of it: `two- and three-fold`, `Vor- und Nachteile`. */
const SUSPENDED = /^(?:(?:and|or|to|nor|et|ou)\s+\p{L}+[-‐‑]|(?:und|oder|bzw\.|sowie)\s)/u

/** What no space stands behind: hyphens, the one that parts no lines among them, and dashes of ranges. */
const CLOSED = /[\p{L}\p{N}][-‐‑–]$/u

/** No word is parted behind its first letter, and a small word between two hyphens ends with one. */
const HYPHEN_KEPT = /(?:(?<![\p{L}\p{M}'’])\p{L}|[-‐](?:and|by|for|in|of|on|or|the|to))[-‐]$/iu

/**
 * How two lines are joined: what goes from the end of the first, and what comes between. A word that was broken at the line's
 * end is made whole, unless it has its hyphen elsewhere too; a hyphen in front of a capital or a digit belongs to its word.
 */
export function jointOf(
  text: string,
  line: string,
  compounds: Set<string> = new Set()
): { cut: number; between: string } {
  const end = text.slice(-60)
  const broken = /\p{L}+[-‐]$/u.exec(end)?.[0]
  if (broken !== undefined && SUSPENDED.test(line)) return { cut: 0, between: ' ' }
  if (broken !== undefined && /^\p{Ll}/u.test(line)) {
    const words = [
      broken + /^\p{L}+/u.exec(line)![0],
      BROKEN_COMPOUND.exec(end)![0] + /^\p{L}+(?:-\p{L}+){0,9}/u.exec(line)![0],
    ]
    const keeps = HYPHEN_KEPT.test(end) || words.some((word) => compounds.has(known(word)))
    return { cut: keeps ? 0 : 1, between: '' }
  }
  if (
    broken !== undefined &&
    compounds.has(broken.slice(0, -1) + (/^\p{L}+/u.exec(line)?.[0] ?? ''))
  ) {
    return { cut: 1, between: '' }
  }
  if (CLOSED.test(text.slice(-4)) && /^[\p{L}\p{N}]/u.test(line)) {
    return { cut: 0, between: '' }
  }
  if (/^[\p{Ll}\d]/u.test(line) && BROKEN_ADDRESS.test(text.slice(-200))) {
    return { cut: 0, between: '' }
  }
  if (/^\p{Ll}{2}/u.test(line) && BROKEN_HOST.test(text.slice(-80))) {
    return { cut: 0, between: '' }
  }
  if (text.endsWith('\u00ad')) return { cut: 1, between: '' }
  /** Chinese and Japanese are written without spaces. */
  const letters = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}，。、]/u
  return letters.test(text.slice(-1)) && letters.test(line[0] ?? '')
    ? { cut: 0, between: '' }
    : { cut: 0, between: ' ' }
}

/** A word as it is known, whatever hyphens it is written with. */
function known(word: string): string {
  return word.toLowerCase().replace(HYPHENS, '-')
}
