import type { ChunkRef, ChunkSet } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { proseOf, wordsOfTitle, type Section, type Word } from '#services/taxonomy/prose'
import { sectionAt, sourceOf } from '#services/taxonomy/read_words'
import { stemOf } from '#services/taxonomy/stems'
import { gramsOf, type Grams } from './grams.ts'

/** What the classifiers see of a document when they decide about one of its chunks; `document`: about all of it at once. */
export type ContextMode = 'chunk' | 'neighbours' | 'document'

/**
 * A part of a document that is classified as one, with what is counted of it. `text` is the document's text from `start` to
 * `end`.
 */
export type Passage = {
  ref: ChunkRef
  source: string
  start: number
  end: number
  text: string
  /** Titles of the headings above it. */
  path: string[]
  /** How often it holds each term of the taxonomy; a term in a heading above counts once more. */
  terms: Map<string, number>
  /** Telling words. */
  length: number
  /** Chunks that it consists of, by their keys. */
  chunks: string[]
  grams: Grams
  /** Passages beside it in the same document. */
  before: Passage | null
  after: Passage | null
}

export const keyOf = ({ set, index }: ChunkRef) => `${set}/${index}`

/**
 * The key under which a term of a taxonomy is counted: its words by their stems.
 */
export function termKey(term: string): string {
  return term.split(' ').map(stemOf).join(' ')
}

/**
 * The terms that count, by their keys, and the words that the phrases among them begin with.
 */
export type Vocabulary = { keys: ReadonlySet<string>; firsts: ReadonlySet<string> }

/** Of terms of a taxonomy as they are displayed. */
export function vocabularyOf(terms: string[]): Vocabulary {
  const keys = new Set(terms.map(termKey))
  const phrases = [...keys].filter((key) => key.includes(' '))
  return { keys, firsts: new Set(phrases.map((key) => key.slice(0, key.indexOf(' ')))) }
}

/**
 * The passages of one set of chunks, one for each chunk that has a word, and all of them as one.
 */
export async function passagesOf(
  id: string,
  set: ChunkSet,
  vocabulary: Vocabulary,
  turns: Turns
): Promise<{ passages: Passage[]; whole: Passage | null }> {
  const document = sourceOf(set)
  const words: Word[] = []
  const sections: Section[] = []
  for (const part of proseOf(document)) {
    if (turns.due()) await turns.give()
    for (const word of part.words) words.push(word)
    if (part.section !== null) sections.push(part.section)
  }
  const passages: Passage[] = []
  const titles = new Map<string[], Word[][]>()
  const titlesOf = (path: string[]) => {
    let read = titles.get(path)
    /** The title of the document names a product more than a topic. */
    if (read === undefined) titles.set(path, (read = path.slice(1).map(wordsOfTitle)))
    return read
  }
  let from = 0
  for (const chunk of set.chunks) {
    if (turns.due()) await turns.give()
    const { start, end } = readable(document, chunk.start, chunk.end)
    while (from < words.length && words[from].start < start) from++
    let to = from
    while (to < words.length && words[to].start < end) to++
    const inside = words.slice(from, to)
    if (inside.length === 0) continue
    const path = sectionAt(sections, start + 1)?.path ?? []
    const before = passages.at(-1) ?? null
    const ref = { set: id, index: chunk.index }
    const passage: Passage = {
      ref,
      source: set.source,
      start,
      end,
      text: document.slice(start, end),
      path,
      ...countTerms(inside, titlesOf(path), vocabulary),
      chunks: [keyOf(ref)],
      grams: gramsOf(inside.map(({ form }) => form.lower)),
      before,
      after: null,
    }
    if (before !== null) before.after = passage
    passages.push(passage)
  }
  return { passages, whole: together(passages, document) }
}

function together(passages: Passage[], document: string): Passage | null {
  if (passages.length === 0) return null
  const terms = new Map<string, number>()
  for (const passage of passages) {
    for (const [key, count] of passage.terms) terms.set(key, (terms.get(key) ?? 0) + count)
  }
  const [first] = passages
  const [start, end] = [first.start, passages.reduce((last, one) => Math.max(last, one.end), 0)]
  return {
    ...first,
    start,
    end,
    text: document.slice(start, end),
    path: first.path.slice(0, 1),
    terms,
    length: passages.reduce((sum, { length }) => sum + length, 0),
    chunks: passages.flatMap(({ chunks }) => chunks),
    before: null,
    after: null,
  }
}

function countTerms(words: Word[], titles: Word[][], { keys, firsts }: Vocabulary) {
  const terms = new Map<string, number>()
  const count = (key: string) => {
    if (keys.has(key)) terms.set(key, (terms.get(key) ?? 0) + 1)
  }
  let length = 0
  const read = (some: Word[]) => {
    let before: string | null = null
    for (const { form, follows } of some) {
      if (!form.telling) {
        before = null
        continue
      }
      const { stem } = form
      length++
      count(stem)
      if (before !== null && follows && firsts.has(before)) count(`${before} ${stem}`)
      before = stem
    }
  }
  read(words)
  for (const title of titles) read(title)
  return { terms, length }
}

/** A chunk gives up at most this share of itself at each end, so that it begins and ends with a sentence. */
const GIVEN_UP = 0.4

/**
 * Chunks are cut by size: one that begins or ends in the middle of a sentence or a word is shortened to where a line or a
 * sentence begins and ends.
 */
export function readable(text: string, from: number, to: number) {
  let [start, end] = [from, to]
  const most = Math.floor((to - from) * GIVEN_UP)
  if (start > 0 && text[start - 1] !== '\n') {
    const head = text.slice(start, start + most)
    const cut = /\n|[.!?]["')\]]?\s/.exec(head) ?? /\s/.exec(head)
    if (cut !== null) start += cut.index + cut[0].length
  }
  if (end < text.length && text[end] !== '\n') {
    const tail = text.slice(end - most, end)
    const cut =
      Math.max(tail.lastIndexOf('\n'), lastSentenceEnd(tail)) || Math.max(0, tail.lastIndexOf(' '))
    if (cut > 0) end = end - most + cut
  }
  while (start < end && /\s/.test(text[start])) start++
  while (end > start && /\s/.test(text[end - 1])) end--
  return { start, end }
}

function lastSentenceEnd(text: string): number {
  let last = 0
  for (const match of text.matchAll(/[.!?]["')\]]?(?=\s)/g)) last = match.index + match[0].length
  return last
}
