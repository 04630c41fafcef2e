import type { ChunkRef, ChunkSet } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { COMMON_WORDS, isBoilerplateHeading } from './common_words.ts'
import { proseOf, wordsOfTitle, type Section, type Word } from './prose.ts'
import { Repeated } from './repeated.ts'
import { stemOf } from './stems.ts'

/**
 * A word or a phrase of two, in all its forms.
 */
export type Term = {
  key: string
  /** As people read it most often; among forms that stand as nouns, where there are some. */
  display: string
  /** Whether it may name a category: it stands as a noun more often than as a verb, and often with no noun behind it. */
  names: boolean
  /** Chunks that hold it. */
  chunks: number
  /** Documents that hold it. */
  sources: number
  phrase: boolean
  /** Share of its places that are headings, 0 to 1. */
  headings: number
}

/**
 * A chunk as a unit vector over terms; `terms` ascend.
 */
export type Vector = { terms: Int32Array; weights: Float64Array }

export type CorpusChunk = Vector & { ref: ChunkRef; source: number }

/**
 * All chunks of a taxonomy, weighted by tf-idf.
 */
export type Corpus = { chunks: CorpusChunk[]; terms: Term[]; sources: number }

/** A heading above a chunk counts as if its words stood in the chunk; the document's title names a product more than a topic. */
const ABOVE_WEIGHT = 1
const TITLE_WEIGHT = 0.3

/** Rarer terms tell nothing about others. */
const FEWEST_CHUNKS = 2
const FEWEST_CHUNKS_OF_PHRASE = 3

/** Words that stand before nouns, and such that stand before verbs. */
const BEFORE_NOUNS = new Set(
  'a an the this that these those each every any some no of for with from by in on as its your our their my per via between'.split(
    ' '
  )
)
const BEFORE_VERBS = new Set(
  'to can will must should would could may might shall cannot not you we they it i who which and then please let never always'.split(
    ' '
  )
)
/** A name has nothing telling behind it in this share of its places at least: what has is an adjective or half a name. */
const LEAST_HEADS = 0.45
/** And words of this kind in front of it in this share. */
const LEAST_NOUNS = 0.08
/** More of it where the word may well be a verb, as `determining`. */
const LEAST_GERUNDS = 0.2

type Counts = Map<string, number>
type Form = { count: number; noun: number; verb: number; head: number }
type Seen = {
  forms: Map<string, Form>
  chunks: number
  sources: Set<number>
  heading: number
  places: number
}

/**
 * Reads the sets of chunks in the given order.
 */
export async function corpusOf(
  sets: { id: string; set: ChunkSet }[],
  turns: Turns,
  onSet: (done: number) => Promise<void>
): Promise<Corpus> {
  const seen = new Map<string, Seen>()
  const counted: { ref: ChunkRef; source: number; counts: Counts }[] = []
  const sources = new Map<string, number>()
  const repeated = new Repeated()
  for (const { set } of sets) {
    for (const passage of proseOf(sourceOf(set))) {
      if (turns.due()) await turns.give()
      repeated.add(passage.words, set.source)
    }
  }
  for (const [done, { id, set }] of sets.entries()) {
    await onSet(done)
    if (!sources.has(set.source)) sources.set(set.source, sources.size)
    const source = sources.get(set.source)!
    const { words, sections } = await readSet(set, repeated, turns)
    let from = 0
    for (const chunk of set.chunks) {
      if (turns.due()) await turns.give()
      while (from < words.length && words[from].start < chunk.start) from++
      const counts: Counts = new Map()
      countTitles(counts, sectionAt(sections, chunk.start))
      countWords(counts, words, from, chunk.end, seen)
      for (const key of counts.keys()) {
        const term = seen.get(key)
        if (term === undefined) continue
        term.chunks++
        term.sources.add(source)
      }
      counted.push({ ref: { set: id, index: chunk.index }, source, counts })
    }
  }
  return weighted(counted, seen, sources.size, turns)
}

async function readSet(set: ChunkSet, repeated: Repeated, turns: Turns) {
  const words: Word[] = []
  const sections: Section[] = []
  for (const part of proseOf(sourceOf(set))) {
    if (turns.due()) await turns.give()
    if (part.section === null && repeated.is(part.words)) continue
    for (const word of part.words) words.push(word)
    if (part.section !== null) sections.push(part.section)
  }
  return { words, sections }
}

/** The text that the chunks were cut from, as far as they hold it; gaps become spaces. */
export function sourceOf(set: ChunkSet): string {
  let text = ''
  for (const chunk of set.chunks) {
    if (chunk.end <= text.length) continue
    text = text.padEnd(chunk.start) + chunk.text.slice(Math.max(0, text.length - chunk.start))
  }
  return text
}

/** The section in which a place lies; `sections` ascend. */
export function sectionAt(sections: Section[], offset: number): Section | undefined {
  let [low, high] = [0, sections.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sections[middle].start < offset) low = middle + 1
    else high = middle
  }
  return sections[low - 1]
}

function countTitles(counts: Counts, section: Section | undefined): void {
  for (const [depth, title] of (section?.path ?? []).entries()) {
    if (isBoilerplateHeading(title)) continue
    for (const { text } of wordsOfTitle(title)) {
      if (isTelling(text)) add(counts, stemOf(text), depth === 0 ? TITLE_WEIGHT : ABOVE_WEIGHT)
    }
  }
}

function countWords(
  counts: Counts,
  words: Word[],
  from: number,
  end: number,
  seen: Map<string, Seen>
): void {
  let before: { stem: string; text: string } | null = null
  for (let at = from; at < words.length && words[at].start < end; at++) {
    const { text, weight, follows } = words[at]
    if (!isTelling(text)) {
      before = null
      continue
    }
    const stem = stemOf(text)
    const next = words[at + 1]
    const place: Place = {
      weight,
      before: follows ? words[at - 1].text.toLowerCase() : '',
      head: next === undefined || !next.follows || !isTelling(next.text),
    }
    note(seen, stem, text, place)
    add(counts, stem, weight)
    if (before !== null && follows && before.stem !== stem) {
      const key = `${before.stem} ${stem}`
      note(seen, key, `${before.text} ${text}`, { ...place, before: '' })
      add(counts, key, weight)
    }
    before = { stem, text }
  }
}

type Place = { weight: number; before: string; head: boolean }

function note(seen: Map<string, Seen>, key: string, text: string, place: Place): void {
  let term = seen.get(key)
  if (term === undefined) {
    term = { forms: new Map(), chunks: 0, sources: new Set(), heading: 0, places: 0 }
    seen.set(key, term)
  }
  let form = term.forms.get(text)
  if (form === undefined) term.forms.set(text, (form = { count: 0, noun: 0, verb: 0, head: 0 }))
  form.count++
  if (BEFORE_NOUNS.has(place.before)) form.noun++
  if (BEFORE_VERBS.has(place.before)) form.verb++
  if (place.head) form.head++
  term.places++
  if (place.weight > 1) term.heading++
}

/** Whether a word says something of what a text is about. */
export function isTelling(word: string): boolean {
  const lower = word.toLowerCase().replaceAll('’', "'")
  return word.length > 1 && !COMMON_WORDS.has(lower) && !COMMON_WORDS.has(lower.replace(/'s$/, ''))
}

async function weighted(
  counted: { ref: ChunkRef; source: number; counts: Counts }[],
  seen: Map<string, Seen>,
  sources: number,
  turns: Turns
): Promise<Corpus> {
  const keys: string[] = []
  for (const [key, term] of seen) {
    if (turns.due()) await turns.give()
    const fewest = key.includes(' ') ? FEWEST_CHUNKS_OF_PHRASE : FEWEST_CHUNKS
    if (term.chunks >= fewest) keys.push(key)
  }
  /** Code units decide, whatever the language of the machine. */
  keys.sort()
  const numbers = new Map<string, number>()
  const terms: Term[] = []
  for (const key of keys) {
    if (turns.due()) await turns.give()
    const term = seen.get(key)!
    numbers.set(key, terms.length)
    terms.push({
      key,
      ...displayOf(key, term.forms),
      chunks: term.chunks,
      sources: term.sources.size,
      phrase: key.includes(' '),
      headings: term.heading / term.places,
    })
  }
  const chunks: CorpusChunk[] = []
  for (const { ref, source, counts } of counted) {
    if (turns.due()) await turns.give()
    const pairs: [number, number][] = []
    for (const [key, count] of counts) {
      const number = numbers.get(key)
      if (number === undefined) continue
      const idf = Math.log((1 + counted.length) / terms[number].chunks)
      pairs.push([number, (count >= 1 ? 1 + Math.log(count) : count) * idf])
    }
    pairs.sort((a, b) => a[0] - b[0])
    chunks.push({ ref, source, ...unit(pairs) })
  }
  return { chunks, terms, sources }
}

function unit(pairs: [number, number][]): Vector {
  const length = Math.sqrt(pairs.reduce((sum, [, weight]) => sum + weight * weight, 0)) || 1
  return {
    terms: Int32Array.from(pairs, ([term]) => term),
    weights: Float64Array.from(pairs, ([, weight]) => weight / length),
  }
}

/**
 * The commonest form that may name a category, else the commonest of all; a capital that most of its places have stays, as in
 * `Redis` or `SQL`.
 */
function displayOf(key: string, forms: Map<string, Form>): { display: string; names: boolean } {
  const folded = new Map<string, Form>()
  for (const [text, form] of forms) {
    const sum = folded.get(text.toLowerCase()) ?? { count: 0, noun: 0, verb: 0, head: 0 }
    for (const fact of ['count', 'noun', 'verb', 'head'] as const) sum[fact] += form[fact]
    folded.set(text.toLowerCase(), sum)
  }
  const fit = [...folded].filter(([text, form]) => isName(key, text, form))
  const best = commonest(fit.length > 0 ? fit : [...folded])
  return {
    display: commonest([...forms].filter(([text]) => text.toLowerCase() === best)),
    names: fit.length > 0,
  }
}

function isName(key: string, text: string, { count, noun, verb, head }: Form): boolean {
  if (text.length < 3 || /(ly|ed|ful|ous|ive|less|able|ible|i[sz]es)$/.test(text)) return false
  if (/(ed|ing)\s/.test(text) || head < LEAST_HEADS * count) return false
  if (key.includes(' ')) return true
  const least = text.endsWith('ing') ? LEAST_GERUNDS : LEAST_NOUNS
  return verb <= noun && noun >= least * count
}

function commonest(forms: [string, Form][]): string {
  return forms.sort(([a, m], [b, n]) => n.count - m.count || (a < b ? -1 : 1))[0][0]
}

function add(counts: Map<string, number>, key: string, weight: number): void {
  counts.set(key, (counts.get(key) ?? 0) + weight)
}
