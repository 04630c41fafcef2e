import { tokenEndsOfWord, tokensOf, tokensOfWord, wordEnd } from './cl100k.ts'
import { allAlone, Letters } from './letters.ts'
import { Numbers } from './numbers.ts'

export type UnitKind = 'token' | 'character'

/** Work goes on for so many units before others may get a turn. */
const STEP = 4_096

/** So many are looked at for letters of several at once, which is fast. */
const PLAIN_STEP = 1_048_576

/**
 * A text as the smallest pieces that are never cut, each with a weight: letters (grapheme clusters), or words of tokens.
 */
export class Units {
  /** Offset behind each unit, in UTF-16 units; null where each unit is one. */
  #ends: Int32Array | null
  /** Weight of all units up to each, it included; null where each weighs 1. */
  #sums: Int32Array | null
  /** How many units up to each, it included, are parts of words, whose weights do not simply add up. */
  #parts: Int32Array | null

  private constructor(
    readonly text: string,
    readonly kind: UnitKind,
    { ends, sums, parts }: { ends: Int32Array | null; sums?: Int32Array; parts?: Int32Array }
  ) {
    this.#ends = ends
    this.#sums = sums ?? null
    this.#parts = parts ?? null
  }

  get length(): number {
    return this.#ends?.length ?? this.text.length
  }

  /** Where a unit begins; for the number of units, where the text ends. */
  start(unit: number): number {
    if (this.#ends === null) return unit
    return unit === 0 ? 0 : this.#ends[unit - 1]
  }

  /** The first unit that begins at an offset or behind it. */
  at(offset: number): number {
    if (this.#ends === null) return Math.min(offset, this.length)
    if (offset <= 0) return 0
    return Math.min(this.length, search(this.length, (unit) => this.#ends![unit] >= offset) + 1)
  }

  /** Tokens or characters of units, those of whole words as they are; `count` is exact for all. */
  weight(from: number, to: number): number {
    if (this.#sums === null) return to - from
    return (to === 0 ? 0 : this.#sums[to - 1]) - (from === 0 ? 0 : this.#sums[from - 1])
  }

  /** The last unit, exclusive, up to which units from one on weigh at most `size`. */
  fill(from: number, size: number): number {
    if (this.#sums === null) return Math.min(this.length, from + size)
    const most = (from === 0 ? 0 : this.#sums[from - 1]) + size
    return search(this.length, (unit) => this.#sums![unit] > most)
  }

  /** The first unit from which on units up to one, exclusive, weigh at most `size`. */
  fillBack(to: number, size: number): number {
    if (this.#sums === null) return Math.max(0, to - size)
    const least = (to === 0 ? 0 : this.#sums[to - 1]) - size
    if (least <= 0) return 0
    return search(to, (unit) => this.#sums![unit] >= least) + 1
  }

  /**
   * Tokens or characters of a part of the text as it stands alone. Words keep their tokens in any text, but white space at
   * the end becomes one word, and a part of a word is another word.
   */
  count(from: number, to: number): number {
    if (this.kind === 'character') return to - from
    if (this.#partsIn(from, to) > 0) return tokensOf(this.#slice(from, to))
    let tail = to
    while (tail > from && this.#slice(tail - 1, tail).trim() === '') tail--
    return to - tail < 2
      ? this.weight(from, to)
      : this.weight(from, tail) + tokensOf(this.#slice(tail, to))
  }

  #partsIn(from: number, to: number): number {
    if (this.#parts === null) return 0
    return this.#parts[to - 1] - (from === 0 ? 0 : this.#parts[from - 1])
  }

  #slice(from: number, to: number): string {
    return this.text.slice(this.start(from), this.start(to))
  }

  /** In steps, so that others may get a turn. */
  static *of(text: string, kind: UnitKind, size: number): Generator<void, Units> {
    return kind === 'token' ? yield* Units.#tokens(text, size) : yield* Units.#letters(text)
  }

  static *#letters(text: string): Generator<void, Units> {
    let plain = true
    for (let at = 0; plain && at < text.length; at += PLAIN_STEP) {
      plain = allAlone(text.slice(at, at + PLAIN_STEP))
      yield
    }
    if (plain) return new Units(text, 'character', { ends: null })
    const ends = new Numbers()
    const letters = new Letters(text)
    while (letters.end < text.length) {
      letters.next()
      ends.push(letters.end)
      if (ends.length % STEP === 0) yield
    }
    return new Units(text, 'character', { ends: ends.taken() })
  }

  /**
   * Words of tokens, joined where a border of words lies inside of a letter. What is heavier than `size` is taken apart, into
   * tokens and, where these are parts of a letter that is too heavy too, into letters.
   */
  static *#tokens(text: string, size: number): Generator<void, Units> {
    const [ends, sums, parts] = [new Numbers(), new Numbers(), new Numbers()]
    const letters = new Letters(text)
    let [start, weight, total, apart, end] = [0, 0, 0, 0, 0]
    const push = (to: number, tokens: number) => {
      total += tokens
      ends.push(to)
      sums.push(total)
      if (apart > 0) fillUp(parts, ends.length - 1, apart)
    }
    for (let words = 1; end < text.length; words++) {
      const from = end
      end = wordEnd(text, from)
      weight += tokensOfWord(text.slice(from, end))
      if (words % 256 === 0 || end - from > STEP) yield
      if (!letters.reaches(end) && end < text.length) continue
      if (weight <= size) {
        push(end, weight)
      } else {
        for (const [to, tokens] of partsOf(text.slice(start, end), size)) {
          apart++
          push(start + to, tokens)
          if (apart % 256 === 0) yield
        }
      }
      start = end
      weight = 0
    }
    return new Units(text, 'token', {
      ends: ends.taken(),
      sums: sums.taken(),
      parts: apart === 0 ? undefined : parts.taken(),
    })
  }
}

/** No part is counted before the first: zeros stand for all units up to it. */
function fillUp(parts: Numbers, units: number, apart: number): void {
  while (parts.length < units) parts.push(0)
  parts.push(apart)
}

/** Parts of a word that is too heavy: their ends, and their tokens. */
function* partsOf(word: string, size: number): Generator<[end: number, tokens: number]> {
  const letters = new Letters(word)
  let [start, from] = [0, 0]
  while (from < word.length) {
    const to = wordEnd(word, from)
    for (const tokenEnd of tokenEndsOfWord(word.slice(from, to))) {
      const end = from + tokenEnd
      if (!letters.reaches(end) && end < word.length) continue
      const tokens = tokensOf(word.slice(start, end))
      if (tokens <= size) yield [end, tokens]
      else yield* lettersOf(word, start, end)
      start = end
    }
    from = to
  }
}

function* lettersOf(word: string, start: number, end: number): Generator<[number, number]> {
  const part = word.slice(start, end)
  const letters = new Letters(part)
  while (letters.end < part.length) {
    const from = letters.end
    letters.next()
    yield [start + letters.end, tokensOf(part.slice(from, letters.end))]
  }
}

/** The first index for which a condition holds that holds for all behind it; `length` where it holds for none. */
function search(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
