import type { ChunkRef, ChunkSet } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { COMMON_WORDS } from './common_words.ts'
import { proseOf, wordsOfTitle, type Section, type Word } from './prose.ts'
import { stemOf } from './stems.ts'

/**
 * A word or a phrase of two, in all its forms.
 */
export type Term = {
  key: string
  /** As people read it most often. */
  display: string
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

type Counts = Map<string, number>
type Seen = {
  forms: Map<string, number>
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
  for (const [done, { id, set }] of sets.entries()) {
    await onSet(done)
    if (!sources.has(set.source)) sources.set(set.source, sources.size)
    const source = sources.get(set.source)!
    const { words, sections } = await readSet(set, turns)
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

async function readSet(set: ChunkSet, turns: Turns) {
  const words: Word[] = []
  const sections: Section[] = []
  for (const part of proseOf(sourceOf(set))) {
    if (turns.due()) await turns.give()
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
) {
  let before: { stem: string; text: string } | null = null
  for (let at = from; at < words.length && words[at].start < end; at++) {
    const { text, weight, follows } = words[at]
    if (!isTelling(text)) {
      before = null
      continue
    }
    const stem = stemOf(text)
    note(seen, stem, text, weight)
    add(counts, stem, weight)
    if (before !== null && follows && before.stem !== stem) {
      const key = `${before.stem} ${stem}`
      note(seen, key, `${before.text} ${text}`, weight)
      add(counts, key, weight)
    }
    before = { stem, text }
  }
}

function note(seen: Map<string, Seen>, key: string, form: string, weight: number): void {
  let term = seen.get(key)
  if (term === undefined) {
    term = { forms: new Map(), chunks: 0, sources: new Set(), heading: 0, places: 0 }
    seen.set(key, term)
  }
  add(term.forms, form, 1)
  term.places++
  if (weight > 1) term.heading++
}

/** Whether a word says something of its own. */
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
  const kept = [...seen]
    .filter(
      ([key, { chunks }]) => chunks >= (key.includes(' ') ? FEWEST_CHUNKS_OF_PHRASE : FEWEST_CHUNKS)
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const numbers = new Map(kept.map(([key], number) => [key, number]))
  const terms = kept.map(([key, term]): Term => ({
    key,
    display: displayOf(term.forms),
    chunks: term.chunks,
    sources: term.sources.size,
    phrase: key.includes(' '),
    headings: term.heading / term.places,
  }))
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

/** The commonest form; a capital that most of its places have stays, as in `Redis` or `SQL`. */
function displayOf(forms: Map<string, number>): string {
  const folded = new Map<string, number>()
  for (const [form, count] of forms) add(folded, form.toLowerCase(), count)
  const best = first(folded)
  return first(new Map([...forms].filter(([form]) => form.toLowerCase() === best)))
}

function first(counts: Map<string, number>): string {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0][0]
}

function add(counts: Map<string, number>, key: string, weight: number): void {
  counts.set(key, (counts.get(key) ?? 0) + weight)
}
