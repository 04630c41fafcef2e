import type { ChunkRef } from '#services/documents/artifacts'
import { sortedInTurns } from '#services/documents/sorted'
import type { Turns } from '#services/documents/turns'
import { isBoilerplateHeading } from './common_words.ts'
import type { Corpus, CorpusChunk, Term, Vector } from './corpus.ts'
import { displayOf, note, type Form, type Place } from './names.ts'
import { HEADING_WEIGHT, wordsOfTitle, type Section } from './prose.ts'
import { FOLLOWS, IN_HEADING, type Lexicon, type ReadWords, sectionAt } from './read_words.ts'

/** A heading above a chunk counts as if its words stood in the chunk; the document's title names a product more than a topic. */
const ABOVE_WEIGHT = 1
const TITLE_WEIGHT = 0.3

/** Rarer terms tell nothing about others. */
const FEWEST_CHUNKS = 2
const FEWEST_CHUNKS_OF_PHRASE = 3

/** More than there are stems: the number of a phrase is that of its first stem, from 1, times this, and that of its second. */
const STEMS = 2 ** 26

/** Terms are kept in so many maps: a map of a million grows in a step that keeps the process from everything else. */
const SHARDS = 64

/** A set of chunks without their texts: the number of its document, where each chunk is, and the words. */
export type ReadSet = {
  id: string
  source: number
  chunks: { index: number; start: number; end: number }[]
  words: ReadWords
}

/** The terms of one chunk with how often they count, as they came. */
type Counted = { ref: ChunkRef; source: number; terms: Int32Array; counts: Float64Array }

/** What is seen of a term that is common enough. */
type Seen = { forms: Map<string, Form>; sources: Set<number>; heading: number; places: number }

/**
 * Counts terms, first how often each chunk holds them, then, of those that are common enough, how they are written.
 */
export class Counts {
  /** Terms by what `wordKey` and `phraseKey` give, numbered as they come. */
  #numbers = Array.from({ length: SHARDS }, () => new Map<number, number>())
  #keys: number[] = []
  /** Of each term: chunks that hold it, and whether it has stood in a text, not only in a heading above one. */
  #chunks: number[] = []
  #stood: boolean[] = []
  #counted: Counted[] = []
  #seen = new Map<number, Seen>()
  /** How often each term counts in the chunk that is being read; 0 between two. */
  #inChunk: number[] = []
  #touched: number[] = []
  #titles = new WeakMap<Section, { stem: number; weight: number }[]>()

  /** Chunks that were looked at a second time. */
  #looked = 0

  constructor(private lexicon: Lexicon) {}

  /** Counts the terms of one chunk. */
  count(
    { id, source, words }: ReadSet,
    chunk: { index: number; start: number },
    from: number,
    to: number
  ) {
    this.#touched.length = 0
    const section = sectionAt(words.sections, chunk.start)
    if (section !== undefined) {
      for (const { stem, weight } of this.#titlesOf(section)) this.#add(stem, weight)
    }
    const { forms, stems } = this.lexicon
    let before = -1
    for (let at = from; at < to; at++) {
      const number = words.numbers[at]
      if (!forms[number].telling) {
        before = -1
        continue
      }
      const [stem, marks] = [stems[number], words.marks[at]]
      const weight = (marks & IN_HEADING) === 0 ? 1 : HEADING_WEIGHT
      this.#stood[this.#add(stem, weight)] = true
      if (before !== -1 && before !== stem && (marks & FOLLOWS) !== 0) {
        this.#stood[this.#add(phraseKey(before, stem), weight)] = true
      }
      before = stem
    }
    const terms = Int32Array.from(this.#touched)
    const counts = Float64Array.from(terms, (term) => this.#inChunk[term])
    for (const term of terms) {
      this.#inChunk[term] = 0
      if (this.#stood[term]) this.#chunks[term]++
    }
    this.#counted.push({ ref: { set: id, index: chunk.index }, source, terms, counts })
  }

  /** Leaves out what is too rare. */
  async choose(turns: Turns): Promise<void> {
    for (const [number, key] of this.#keys.entries()) {
      if (turns.due()) await turns.give()
      const fewest = key < STEMS ? FEWEST_CHUNKS : FEWEST_CHUNKS_OF_PHRASE
      if (this.#chunks[number] < fewest) continue
      this.#seen.set(number, { forms: new Map(), sources: new Set(), heading: 0, places: 0 })
    }
  }

  /** Looks at how the chosen terms of one chunk are written; chunks come in the same order as before. */
  look({ words }: ReadSet, from: number, to: number): void {
    const { forms, stems } = this.lexicon
    const { numbers, marks } = words
    let before = -1
    for (let at = from; at < to; at++) {
      const form = forms[numbers[at]]
      if (!form.telling) {
        before = -1
        continue
      }
      const stem = stems[numbers[at]]
      const follows = (marks[at] & FOLLOWS) !== 0
      const next = at + 1
      const behind =
        next < numbers.length && (marks[next] & FOLLOWS) !== 0 ? forms[numbers[next]] : null
      const heading = (marks[at] & IN_HEADING) !== 0
      const front = follows ? forms[numbers[at - 1]] : null
      this.#note(stem, form.text, { before: front, behind }, heading)
      if (before !== -1 && follows && stems[before] !== stem) {
        this.#note(
          phraseKey(stems[before], stem),
          `${forms[before].text} ${form.text}`,
          { before: null, behind },
          heading
        )
      }
      before = numbers[at]
    }
    const { source, terms } = this.#counted[this.#looked++]
    for (const term of terms) {
      const seen = this.#seen.get(term)
      if (seen !== undefined && seen.places > 0) seen.sources.add(source)
    }
  }

  async corpus(sources: number, turns: Turns): Promise<Corpus> {
    const { stemTexts } = this.lexicon
    const all: { number: number; stems: string[]; key: string }[] = []
    for (const number of this.#seen.keys()) {
      if (turns.due()) await turns.give()
      const key = this.#keys[number]
      const stems =
        key < STEMS
          ? [stemTexts[key]]
          : [stemTexts[Math.floor(key / STEMS) - 1], stemTexts[key % STEMS]]
      all.push({ number, stems, key: stems.join(' ') })
    }
    /** Code units decide, whatever the language of the machine. */
    const chosen = await sortedInTurns(all, (a, b) => (a.key < b.key ? -1 : 1), turns)
    const places = new Int32Array(this.#keys.length).fill(-1)
    const terms: Term[] = []
    const holding = new Map<string, number[]>()
    for (const { number, key, stems } of chosen) {
      if (turns.due()) await turns.give()
      const seen = this.#seen.get(number)!
      places[number] = terms.length
      for (const stem of stems) {
        const known = holding.get(stem)
        if (known === undefined) holding.set(stem, [terms.length])
        else known.push(terms.length)
      }
      terms.push({
        key,
        stems,
        ...displayOf(key, seen.forms),
        chunks: this.#chunks[number],
        sources: seen.sources.size,
        phrase: stems.length > 1,
        headings: seen.heading / seen.places,
      })
    }
    const chunks: CorpusChunk[] = []
    const idf = Float64Array.from(terms, ({ chunks: holders }) =>
      Math.log((1 + this.#counted.length) / holders)
    )
    const weights = new Float64Array(terms.length)
    for (const { ref, source, terms: numbers, counts } of this.#counted) {
      if (turns.due()) await turns.give()
      chunks.push({ ref, source, ...vectorOf(numbers, counts, places, idf, weights) })
    }
    return { chunks, terms, sources, holding }
  }

  #add(key: number, weight: number): number {
    const numbers = this.#numbers[key % SHARDS]
    let number = numbers.get(key)
    if (number === undefined) {
      number = this.#keys.length
      numbers.set(key, number)
      this.#keys.push(key)
      this.#chunks.push(0)
      this.#stood.push(false)
      this.#inChunk.push(0)
    }
    if (this.#inChunk[number] === 0) this.#touched.push(number)
    this.#inChunk[number] += weight
    return number
  }

  #note(key: number, text: string, place: Place, heading: boolean): void {
    const seen = this.#seen.get(this.#numbers[key % SHARDS].get(key)!)
    if (seen === undefined) return
    note(seen.forms, text, place)
    seen.places++
    if (heading) seen.heading++
  }

  #titlesOf(section: Section): { stem: number; weight: number }[] {
    let stems = this.#titles.get(section)
    if (stems !== undefined) return stems
    stems = section.path.flatMap((title, depth) =>
      isBoilerplateHeading(title)
        ? []
        : wordsOfTitle(title)
            .filter(({ form }) => form.telling)
            .map(({ form }) => ({
              stem: this.lexicon.stemNumber(form.stem),
              weight: depth === 0 ? TITLE_WEIGHT : ABOVE_WEIGHT,
            }))
    )
    this.#titles.set(section, stems)
    return stems
  }
}

function phraseKey(first: number, second: number): number {
  return (first + 1) * STEMS + second
}

/**
 * @param places where each term is among those that were chosen, -1 where it was not
 * @param scratch all zeros, before and after
 */
function vectorOf(
  numbers: Int32Array,
  counts: Float64Array,
  places: Int32Array,
  idf: Float64Array,
  scratch: Float64Array
): Vector {
  const found: number[] = []
  for (const [at, number] of numbers.entries()) {
    const place = places[number]
    if (place === -1) continue
    const count = counts[at]
    found.push(place)
    scratch[place] = (count >= 1 ? 1 + Math.log(count) : count) * idf[place]
  }
  const terms = Int32Array.from(found).sort()
  const weights = Float64Array.from(terms, (term) => scratch[term])
  let square = 0
  for (const weight of weights) square += weight * weight
  const length = Math.sqrt(square) || 1
  for (const [at, term] of terms.entries()) {
    weights[at] /= length
    scratch[term] = 0
  }
  return { terms, weights }
}
