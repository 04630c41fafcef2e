import type { Category } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { type Classifier, type Opinion, sameBranch } from './classifier.ts'
import { type Passage, termKey } from './passages.ts'

/** BM25 (Robertson and Zaragoza 2009): how fast a term that comes again stops counting, and how much length matters. */
const K = 1.2
const B = 0.75

/** What passages beside it add, where they are seen. */
const BESIDE = 0.3

/** A score at which the classifier is two thirds sure that the passage is about the category at all. */
const TYPICAL = 1

/** Below it a passage is about no category. */
const FEWEST = 0.05

/**
 * Classifies by the words that the taxonomy says a category is about: BM25 over its weighted terms. What it is sure of is
 * `(1 - exp(-score)) * score / (score + rival)`, where the rival is the best category of another branch.
 */
export class TermClassifier implements Classifier {
  name = 'terms'
  #categories: Category[]
  #terms: { key: string; weight: number }[][]
  #rarity = new Map<string, number>()
  #average: number
  #rivals: number[][]

  private constructor(
    categories: Category[],
    passages: { count: number; words: number; holding: Map<string, number> },
    private options: { neighbours: boolean }
  ) {
    this.#categories = categories
    this.#terms = categories.map(({ terms }) => {
      const sum = terms.reduce((total, { weight }) => total + weight, 0) || 1
      return terms.map(({ term, weight }) => ({ key: termKey(term), weight: weight / sum }))
    })
    for (const [key, count] of passages.holding) {
      this.#rarity.set(key, Math.log(1 + (passages.count - count + 0.5) / (count + 0.5)))
    }
    this.#average = Math.max(1, passages.words / Math.max(1, passages.count))
    this.#rivals = categories.map((category) =>
      [...categories.keys()].filter((other) => !sameBranch(category, categories[other]))
    )
  }

  /** Counts in how many passages each term is. */
  static async learn(
    categories: Category[],
    passages: Passage[],
    options: { neighbours: boolean },
    turns: Turns
  ): Promise<TermClassifier> {
    const holding = new Map<string, number>()
    let words = 0
    for (const { terms, length } of passages) {
      if (turns.due()) await turns.give()
      words += length
      for (const key of terms.keys()) holding.set(key, (holding.get(key) ?? 0) + 1)
    }
    return new TermClassifier(categories, { count: passages.length, words, holding }, options)
  }

  classify(passage: Passage): Opinion {
    const counts = this.#countsOf(passage)
    const scores = this.#categories.map((_, category) => this.#score(passage, counts, category))
    let best: number | null = null
    for (const [category, score] of scores.entries()) {
      if (score > FEWEST && (best === null || score > scores[best])) best = category
    }
    return {
      best,
      sure: (category) => {
        const score = scores[category]
        const rival = this.#rivals[category].reduce((most, at) => Math.max(most, scores[at]), 0)
        return score === 0 ? 0 : (1 - Math.exp(-score / TYPICAL)) * (score / (score + rival))
      },
    }
  }

  /** Of each term that is seen, in the passage itself or beside it. */
  #countsOf({ terms, before, after }: Passage): Map<string, number> {
    if (!this.options.neighbours) return terms
    const counts = new Map(terms)
    const beside = (key: string) => (before?.terms.get(key) ?? 0) + (after?.terms.get(key) ?? 0)
    for (const one of [before, after]) {
      for (const key of one?.terms.keys() ?? []) {
        counts.set(key, (terms.get(key) ?? 0) + BESIDE * beside(key))
      }
    }
    return counts
  }

  #score(passage: Passage, counts: Map<string, number>, category: number): number {
    let score = 0
    for (const { key, weight } of this.#terms[category]) {
      const count = counts.get(key)
      if (count === undefined) continue
      const length = 1 - B + (B * passage.length) / this.#average
      score += (weight * (this.#rarity.get(key) ?? 0) * count * (K + 1)) / (count + K * length)
    }
    return score
  }
}
