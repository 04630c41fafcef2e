import ranks from 'gpt-tokenizer/bpeRanks/cl100k_base'
import { countTokens, encode } from 'gpt-tokenizer/encoding/cl100k_base'

/**
 * The smallest piece that is never cut; offsets in UTF-16 units.
 */
export type Unit = { start: number; end: number; weight: number }

/** Markers such as `<|endoftext|>` in a document are plain text. */
const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }

const letters = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** Number of cl100k_base tokens of a text. */
export function tokensOf(text: string): number {
  return countTokens(text, PLAIN)
}

/**
 * A text as grapheme clusters, each of weight 1.
 */
export function letterUnits(text: string): Unit[] {
  return Array.from(letters.segment(text), ({ index, segment }) => ({
    start: index,
    end: index + segment.length,
    weight: 1,
  }))
}

/**
 * A text as tokens, joined where a border of tokens lies inside a grapheme cluster. What is heavier than `size` is taken
 * apart into its letters.
 */
export function tokenUnits(text: string, size: number): Unit[] {
  const borders = letterBorders(text)
  const units: Unit[] = []
  let start = 0
  let weight = 0
  for (const end of tokenEnds(text)) {
    weight++
    if (end === null || !borders.has(end) || end === start) continue
    if (weight > size) {
      units.push(...apart(text, start, end))
    } else {
      units.push({ start, end, weight })
    }
    start = end
    weight = 0
  }
  return units
}

/**
 * Where each token ends, or null inside a character: tokens are bytes, a character may be several of them.
 */
function* tokenEnds(text: string): Generator<number | null> {
  const bytes = Buffer.from(text)
  const ids = encode(text, PLAIN)
  const units = new Int32Array(bytes.length + 1).fill(-1)
  let byte = 0
  let unit = 0
  for (const character of text) {
    units[byte] = unit
    byte += Buffer.byteLength(character)
    unit += character.length
  }
  units[byte] = unit
  let at = 0
  for (const id of ids) {
    at += bytesOf(id)
    yield units[at] === -1 ? null : units[at]
  }
}

/** Bytes of a token; those that are no text of their own stand as lists of bytes. */
function bytesOf(id: number): number {
  const token = ranks[id]
  return typeof token === 'string' ? Buffer.byteLength(token) : token.length
}

/** Every offset at which a grapheme cluster ends. */
function letterBorders(text: string): Set<number> {
  const borders = new Set<number>()
  for (const { index, segment } of letters.segment(text)) borders.add(index + segment.length)
  return borders
}

function apart(text: string, start: number, end: number): Unit[] {
  return letterUnits(text.slice(start, end)).map((letter) => ({
    start: start + letter.start,
    end: start + letter.end,
    weight: tokensOf(text.slice(start + letter.start, start + letter.end)),
  }))
}
