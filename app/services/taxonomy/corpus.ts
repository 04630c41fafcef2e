import type { ChunkRef, ChunkSet } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { Counts, type ReadSet } from './counts.ts'
import { Lexicon, readWords, withoutRepeated } from './read_words.ts'
import { Repeated } from './repeated.ts'

/**
 * A word or a phrase of two, in all its forms.
 */
export type Term = {
  key: string
  /** The stems of its words. */
  stems: string[]
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
export type Corpus = {
  chunks: CorpusChunk[]
  terms: Term[]
  sources: number
  /** Numbers of the terms that a stem is part of. */
  holding: Map<string, number[]>
}

/**
 * Reads sets of chunks one after the other and counts what they hold. Of their texts nothing stays in memory but the numbers of
 * their words.
 */
export class CorpusReader {
  #lexicon = new Lexicon()
  #sources = new Map<string, number>()
  #sets: ReadSet[] = []

  constructor(private turns: Turns) {}

  /** Ids of the sets that were read, in their order. */
  get ids(): string[] {
    return this.#sets.map(({ id }) => id)
  }

  async add(id: string, set: ChunkSet): Promise<void> {
    if (!this.#sources.has(set.source)) this.#sources.set(set.source, this.#sources.size)
    this.#sets.push({
      id,
      source: this.#sources.get(set.source)!,
      chunks: set.chunks.map(({ index, start, end }) => ({ index, start, end })),
      words: await readWords(set, this.#lexicon, this.turns),
    })
  }

  /**
   * All that was read.
   *
   * @param tell called with the number of sets that are counted
   */
  async corpus(tell: (done: number) => Promise<void>): Promise<Corpus> {
    const [sets, turns, lexicon] = [this.#sets, this.turns, this.#lexicon]
    const words = sets.reduce((sum, { words: { numbers } }) => sum + numbers.length, 0)
    const repeated = new Repeated(words)
    for (const { words: read, source } of sets.toSorted((a, b) => a.source - b.source)) {
      let start = 0
      for (const { end } of read.passages) {
        if (turns.due()) await turns.give()
        repeated.add(lexicon.hashesOf(read.numbers.subarray(start, end)), source)
        start = end
      }
    }
    const counts = new Counts(lexicon)
    for (const [done, one] of sets.entries()) {
      await tell(done)
      one.words = withoutRepeated(one.words, repeated, lexicon)
      for (const { chunk, from, to } of chunksIn(one)) {
        if (turns.due()) await turns.give()
        counts.count(one, chunk, from, to)
      }
    }
    await counts.choose(turns)
    for (const one of sets) {
      for (const { from, to } of chunksIn(one)) {
        if (turns.due()) await turns.give()
        counts.look(one, from, to)
      }
    }
    return counts.corpus(this.#sources.size, turns)
  }
}

/** The chunks of a set with the words that begin in each. */
function* chunksIn({ chunks, words }: ReadSet) {
  const { starts } = words
  let from = 0
  for (const chunk of chunks) {
    while (from < starts.length && starts[from] < chunk.start) from++
    let to = from
    while (to < starts.length && starts[to] < chunk.end) to++
    yield { chunk, from, to }
  }
}
