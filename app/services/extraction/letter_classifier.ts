import type { Category } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import type { Classifier, Opinion } from './classifier.ts'
import { DIMENSIONS, type Grams, product, summed, unit, weighed } from './grams.ts'
import { keyOf, type Passage } from './passages.ts'

/** How much nearer a category has to be than another to be clearly meant (temperature of the softmax). */
const CLEARLY = 0.06

const BESIDE = 0.3

/** So many chunks are compared one by one, and these with each other; more are added up before. */
const FEW = 3

/** Chunks whose products are remembered: neighbours are asked for one after the other. */
const REMEMBERED = 64

/** A chunk that is looked at, and how much it counts. */
type Seen = { chunk: string; weight: number }

/**
 * Classifies by how a category's passages are written: the cosine between runs of four letters of the passage and of the centre of
 * the category's members. It knows no term of the taxonomy. A passage that is a member itself, and those seen beside it, are taken
 * out of the centre before: nothing is compared with itself. What it is sure of is the softmax of the cosines.
 */
export class LetterClassifier implements Classifier {
  name = 'letters'
  /** Chunks of each category and of those below it. */
  #members: Set<string>[]
  /** Numbers of the categories that hold a chunk. */
  #holding = new Map<string, number[]>()
  #remembered = new Map<string, Float64Array>()
  /** What the members of each category add up to; for each feature all categories in a row, as they are read together. */
  #sums: Float32Array
  /** Square of each category's length. */
  #squares: Float64Array

  private constructor(
    categories: Category[],
    private own: Map<string, Grams>,
    private options: { neighbours: boolean }
  ) {
    this.#members = categories.map(
      ({ id }) =>
        new Set(
          categories
            .filter((other) => other.id === id || other.id.startsWith(`${id}/`))
            .flatMap(({ chunks }) => chunks.map(keyOf))
        )
    )
    for (const [category, members] of this.#members.entries()) {
      for (const chunk of members) {
        const known = this.#holding.get(chunk)
        if (known === undefined) this.#holding.set(chunk, [category])
        else known.push(category)
      }
    }
    this.#sums = new Float32Array(DIMENSIONS * categories.length)
    this.#squares = new Float64Array(categories.length)
  }

  /** Reads all passages, and sums up those of each category. */
  static async learn(
    categories: Category[],
    passages: Passage[],
    options: { neighbours: boolean },
    turns: Turns
  ): Promise<LetterClassifier> {
    const rarity = await rarityOf(passages, turns)
    const own = new Map<string, Grams>()
    for (const { chunks, grams } of passages) {
      if (turns.due()) await turns.give()
      const scaled = weighed(grams, rarity)
      own.set(chunks[0], scaled)
    }
    const classifier = new LetterClassifier(categories, own, options)
    for (const category of categories.keys()) await classifier.#sumUp(category, turns)
    return classifier
  }

  classify(passage: Passage): Opinion {
    const beside = this.options.neighbours ? [passage.before, passage.after] : []
    const seen = [passage, ...beside.filter((one) => one !== null)].flatMap(({ chunks }, at) =>
      chunks.map((chunk): Seen => ({ chunk, weight: at === 0 ? 1 : BESIDE }))
    )
    const cosines = seen.length <= FEW ? this.#cosinesOfFew(seen) : this.#cosines(seen)
    const nearest = Math.max(...cosines)
    const shares = cosines.map((one) => Math.exp((one - nearest) / CLEARLY))
    const sum = shares.reduce((all, share) => all + share, 0)
    return {
      best: nearest > 0 ? cosines.indexOf(nearest) : null,
      sure: (category) => (nearest > 0 ? shares[category] / sum : 0),
    }
  }

  /** With each category, of chunks taken together. */
  #cosines(seen: Seen[]): Float64Array {
    const all = seen.map(({ chunk, weight }) => ({ chunk, weight, own: this.own.get(chunk)! }))
    const whole = unit(summed(all))
    const holding = this.#categoriesOf(seen)
    return this.#towards(whole).map((towards, category) => {
      if (!holding.has(category)) return cosine(towards, this.#squares[category])
      const members = this.#members[category]
      const inside = all.filter(({ chunk }) => members.has(chunk))
      const taken = summed(inside.map(({ own }) => ({ own, weight: 1 })))
      return cosine(
        towards - product(whole, taken),
        this.#squares[category] - 2 * this.#dot(taken, category) + product(taken, taken)
      )
    })
  }

  /** The same from what is known of each chunk and of each two, without adding chunks up: for few it is much less work. */
  #cosinesOfFew(seen: Seen[]): Float64Array {
    const products = seen.map(({ chunk }) =>
      seen.map((other) => product(this.own.get(chunk)!, this.own.get(other.chunk)!))
    )
    const towards = seen.map(({ chunk }) => this.#towardsOf(chunk))
    let square = 0
    for (const [a, one] of seen.entries()) {
      for (const [b, other] of seen.entries()) square += one.weight * other.weight * products[a][b]
    }
    const length = Math.sqrt(square) || 1
    const holding = this.#categoriesOf(seen)
    const cosines = new Float64Array(this.#members.length)
    for (let category = 0; category < cosines.length; category++) {
      let [along, left] = [0, this.#squares[category]]
      for (const [at, { weight }] of seen.entries()) along += weight * towards[at][category]
      if (holding.has(category)) {
        const members = this.#members[category]
        for (const [a, one] of seen.entries()) {
          if (!members.has(one.chunk)) continue
          left -= 2 * towards[a][category]
          for (const [b, other] of seen.entries()) {
            along -= other.weight * products[a][b]
            if (members.has(other.chunk)) left += products[a][b]
          }
        }
      }
      cosines[category] = cosine(along / length, left)
    }
    return cosines
  }

  #categoriesOf(seen: Seen[]): Set<number> {
    return new Set(seen.flatMap(({ chunk }) => this.#holding.get(chunk) ?? []))
  }

  /** Products of one chunk with the sums of all categories; those asked for last are remembered. */
  #towardsOf(chunk: string): Float64Array {
    let towards = this.#remembered.get(chunk)
    if (towards !== undefined) return towards
    towards = this.#towards(this.own.get(chunk)!)
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear()
    this.#remembered.set(chunk, towards)
    return towards
  }

  /** Products with the sums of all categories. */
  #towards({ ids, weights }: Grams): Float64Array {
    const count = this.#members.length
    const sums = this.#sums
    const products = new Float64Array(count)
    for (const [at, id] of ids.entries()) {
      const [weight, row] = [weights[at], id * count]
      for (let category = 0; category < count; category++) {
        products[category] += weight * sums[row + category]
      }
    }
    return products
  }

  #dot({ ids, weights }: Grams, category: number): number {
    const count = this.#members.length
    const sums = this.#sums
    let sum = 0
    for (let at = 0; at < ids.length; at++) sum += weights[at] * sums[ids[at] * count + category]
    return sum
  }

  async #sumUp(category: number, turns: Turns): Promise<void> {
    const count = this.#members.length
    for (const member of this.#members[category]) {
      if (turns.due()) await turns.give()
      const own = this.own.get(member)
      if (own === undefined) continue
      for (let at = 0; at < own.ids.length; at++) {
        this.#sums[own.ids[at] * count + category] += own.weights[at]
      }
    }
    for (let at = category; at < this.#sums.length; at += count) {
      this.#squares[category] += this.#sums[at] ** 2
    }
  }
}

/** Of a vector of length 1; rounding may leave a little of what was taken out. */
function cosine(towards: number, square: number): number {
  return square < 1e-3 ? 0 : Math.max(0, towards) / Math.sqrt(square)
}

async function rarityOf(passages: Passage[], turns: Turns): Promise<Float32Array> {
  const holding = new Float32Array(DIMENSIONS)
  for (const { grams } of passages) {
    if (turns.due()) await turns.give()
    for (let at = 0; at < grams.ids.length; at++) holding[grams.ids[at]]++
  }
  return holding.map((count) => Math.log((1 + passages.length) / (1 + count)) + 0.1)
}
