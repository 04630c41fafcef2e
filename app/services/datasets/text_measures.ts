import { Numbers } from '#services/documents/numbers'

/** Words of which diversity is measured; more of them would only make it smaller. */
const SAMPLE = 200_000

const WORDS = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’]*/gu

/** Scripts without spaces between words: each letter counts as one. */
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const WORDS_AND_LETTERS = new RegExp(
  `${SPACELESS.source}\\p{M}*|(?:(?!${SPACELESS.source})[\\p{L}\\p{N}])(?:(?!${SPACELESS.source})[\\p{L}\\p{M}\\p{N}'’])*`,
  'gu'
)

const VOWELS = new Set('aeiouyäöüàâéèêëîïôûùœæ')

export type Readability = {
  /** Words of an example, in the middle; letters where a script has no spaces. */
  words: number
  /** Words of a sentence, on average. */
  sentence: number
  /** Flesch's reading ease, 0 (hard) to 100 (easy); made for English. */
  ease: number
}

export type Diversity = {
  /** Different words. */
  vocabulary: number
  /** Different pairs of words that follow one another, among all such pairs of the first 200,000 words; 0 to 1. */
  pairs: number
  /** Share of the examples that begin with the same three words as most. */
  opening: number
}

/**
 * Measures texts one after another.
 */
export class TextMeasures {
  #lengths = new Numbers()
  #words = 0
  #sentences = 0
  #syllables = 0
  #counts = new Map<string, number>()
  #vocabulary = new Set<string>()
  #pairs = new Set<string>()
  #counted = 0
  #openings = new Map<string, number>()

  add(text: string): { words: number } {
    const words = text.toLowerCase().match(SPACELESS.test(text) ? WORDS_AND_LETTERS : WORDS) ?? []
    this.#lengths.push(words.length)
    this.#words += words.length
    this.#sentences += Math.max(1, text.match(/[.!?。！？]+(?=\s|$)|\n{2,}/g)?.length ?? 0)
    for (const word of words) this.#syllables += this.#syllablesOf(word)
    if (this.#counted < SAMPLE) this.#sample(words)
    const opening = words.length === 0 ? text.slice(0, 12) : words.slice(0, 3).join(' ')
    const met = this.#openings.get(opening)
    if (met !== undefined) this.#openings.set(opening, met + 1)
    else if (this.#openings.size < SAMPLE) this.#openings.set(opening, 1)
    return { words: words.length }
  }

  readability(): Readability {
    const words = Math.max(1, this.#words)
    const sentence = words / Math.max(1, this.#sentences)
    const ease = 206.835 - 1.015 * sentence - 84.6 * (this.#syllables / words)
    return {
      words: this.#lengths.taken().slice().sort()[this.#lengths.length >> 1] ?? 0,
      sentence: rounded(sentence, 1),
      ease: rounded(Math.min(100, Math.max(0, ease)), 1),
    }
  }

  diversity(): Diversity {
    let most = 0
    for (const count of this.#openings.values()) most = Math.max(most, count)
    return {
      vocabulary: this.#vocabulary.size,
      pairs: rounded(this.#pairs.size / Math.max(1, this.#counted), 3),
      opening: rounded(most / Math.max(1, this.#lengths.length), 3),
    }
  }

  #sample(words: string[]) {
    let before = ''
    for (const word of words) {
      this.#vocabulary.add(word)
      if (before !== '') {
        this.#pairs.add(`${before} ${word}`)
        this.#counted++
      }
      before = word
    }
  }

  /** Texts repeat their words: those of a language are counted once. */
  #syllablesOf(word: string): number {
    let count = this.#counts.get(word)
    if (count !== undefined) return count
    count = syllablesOf(word)
    if (this.#counts.size < SAMPLE) this.#counts.set(word, count)
    return count
  }
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

/** Groups of vowels, without a silent e at the end: near enough for a measure over many words. */
function syllablesOf(word: string): number {
  let count = 0
  let before = false
  for (const letter of word) {
    const vowel = VOWELS.has(letter)
    if (vowel && !before) count++
    before = vowel
  }
  if (count > 1 && word.endsWith('e') && !word.endsWith('le')) count--
  return Math.max(1, count)
}
