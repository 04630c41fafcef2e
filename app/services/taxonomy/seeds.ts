import type { Turns } from '#services/documents/turns'
import type { Corpus } from './corpus.ts'

/** The chunks that hold a term, and how much it weighs in each. */
export type Holders = { term: number; chunks: Int32Array; weights: Float64Array }

/** Of two chunks that have nothing but the term in common. */
const LEAST_SENSE = 0.001

/**
 * The holders of each term that some chunks hold, in the order of the terms. All of them lie in two arrays.
 */
export async function holdersOf(corpus: Corpus, among: number[], turns: Turns): Promise<Holders[]> {
  const counts = new Int32Array(corpus.terms.length)
  let total = 0
  for (const number of among) {
    if (turns.due()) await turns.give()
    const { terms } = corpus.chunks[number]
    for (let at = 0; at < terms.length; at++) counts[terms[at]]++
    total += terms.length
  }
  const starts = new Int32Array(counts.length)
  for (let term = 1; term < counts.length; term++)
    starts[term] = starts[term - 1] + counts[term - 1]
  const ends = starts.slice()
  const [chunks, weights] = [new Int32Array(total), new Float64Array(total)]
  for (const number of among) {
    if (turns.due()) await turns.give()
    const chunk = corpus.chunks[number]
    for (let at = 0; at < chunk.terms.length; at++) {
      const place = ends[chunk.terms[at]]++
      chunks[place] = number
      weights[place] = chunk.weights[at]
    }
  }
  const holders: Holders[] = []
  for (const [term, count] of counts.entries()) {
    if (count === 0) continue
    const [start, end] = [starts[term], ends[term]]
    holders.push({
      term,
      chunks: chunks.subarray(start, end),
      weights: weights.subarray(start, end),
    })
  }
  return holders
}

/**
 * Sums by number, forgotten at the next beginning: an array where a map would cost several times as much.
 */
class Sums {
  /** In the order in which they were met. */
  met: number[] = []
  #sums: Float64Array
  #rounds: Int32Array
  #round = 0

  constructor(length: number) {
    this.#sums = new Float64Array(length)
    this.#rounds = new Int32Array(length)
  }

  begin(): void {
    this.#round++
    this.met.length = 0
  }

  add(number: number, amount: number): void {
    if (this.#rounds[number] === this.#round) {
      this.#sums[number] += amount
      return
    }
    this.#rounds[number] = this.#round
    this.#sums[number] = amount
    this.met.push(number)
  }

  has(number: number): boolean {
    return this.#rounds[number] === this.#round
  }

  of(number: number): number {
    return this.#sums[number]
  }

  /** Sum of the squares. */
  square(): number {
    let square = 0
    for (const number of this.met) square += this.#sums[number] * this.#sums[number]
    return square
  }
}

/**
 * How much a term weighs in its chunks. Each document counts by a root, or one long document would name the whole tree.
 */
export class Worth {
  #bySource: Sums

  constructor(private corpus: Corpus) {
    this.#bySource = new Sums(corpus.sources)
  }

  /**
   * @param shares how much each chunk counts, 0 to 1; all of it without
   */
  of({ term, chunks, weights }: Holders, shares?: Float64Array): number {
    const sums = this.#bySource
    sums.begin()
    for (const [at, chunk] of chunks.entries()) {
      const share = shares === undefined ? 1 : shares[chunk]
      sums.add(this.corpus.chunks[chunk].source, weights[at] * share)
    }
    let worth = 0
    for (const source of sums.met) worth += Math.sqrt(sums.of(source))
    const { phrase, headings } = this.corpus.terms[term]
    return worth * (phrase ? 1.5 : 1) * (0.6 + Math.min(headings, 0.4))
  }
}

/**
 * Whether the chunks that hold a term have more in common than the term: the mean cosine of two of them, the term and its phrases
 * left out, those of the same document too where there are several. A word that stands with everything tells nothing.
 */
export class Coherence {
  #all: Sums
  #inSource: Sums
  #leftOut: Sums

  constructor(private corpus: Corpus) {
    this.#all = new Sums(corpus.terms.length)
    this.#inSource = new Sums(corpus.terms.length)
    this.#leftOut = new Sums(corpus.terms.length)
  }

  of({ term, chunks: held }: Holders): number {
    const { corpus } = this
    this.#leftOut.begin()
    for (const other of corpus.holding.get(corpus.terms[term].key) ?? [])
      this.#leftOut.add(other, 1)
    this.#all.begin()
    for (let at = 0; at < held.length; at++) this.#addTo(this.#all, held[at])
    let [products, pairs] = [this.#all.square(), held.length ** 2]
    const bySource = Map.groupBy(held, (number) => corpus.chunks[number].source)
    if (bySource.size > 1) {
      for (const some of bySource.values()) {
        this.#inSource.begin()
        for (const number of some) this.#addTo(this.#inSource, number)
        products -= this.#inSource.square()
        pairs -= some.length ** 2
      }
    }
    return Math.max(LEAST_SENSE, products / pairs) ** 0.25
  }

  #addTo(sums: Sums, number: number): void {
    const { terms, weights } = this.corpus.chunks[number]
    for (const [at, term] of terms.entries()) {
      if (!this.#leftOut.has(term)) sums.add(term, weights[at])
    }
  }
}
