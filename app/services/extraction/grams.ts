import { mixed } from '#services/datasets/shingles'

/** Letters in a row that count as one feature. */
const LETTERS = 4

/** Features are numbered by their hash. */
export const DIMENSIONS = 1 << 14

/**
 * Pieces of words as numbers with how often they come; `ids` ascend.
 */
export type Grams = { ids: Int32Array; weights: Float32Array }

/**
 * Counts runs of four letters inside of words, their beginnings and ends marked.
 */
export function gramsOf(words: string[]): Grams {
  const counts = new Map<number, number>()
  for (const word of words) {
    const marked = ` ${word.toLowerCase()} `
    for (let at = 0; at + LETTERS <= Math.max(LETTERS, marked.length); at++) {
      let hash = 0
      for (let next = at; next < at + LETTERS && next < marked.length; next++) {
        hash = Math.imul(hash, 0x01000193) ^ marked.charCodeAt(next)
      }
      const id = mixed(hash) & (DIMENSIONS - 1)
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
  }
  const ids = Int32Array.from(counts.keys()).sort()
  return { ids, weights: Float32Array.from(ids, (id) => 1 + Math.log(counts.get(id)!)) }
}

/** The same, each weighed by how rare it is, and of length 1. */
export function weighed({ ids, weights }: Grams, rarity: Float32Array): Grams {
  return unit({ ids, weights: weights.map((weight, at) => weight * rarity[ids[at]]) })
}

/** Several added up, each weighed. */
export function summed(some: { own: Grams; weight: number }[]): Grams {
  if (some.length === 1 && some[0].weight === 1) return some[0].own
  const seen: number[] = []
  for (const { own, weight } of some) {
    const { ids, weights } = own
    for (const [at, id] of ids.entries()) {
      if (scratch[id] === 0) seen.push(id)
      scratch[id] += weight * weights[at]
    }
  }
  const ids = Int32Array.from(seen).sort()
  const weights = Float32Array.from(ids, (id) => scratch[id])
  for (const id of seen) scratch[id] = 0
  return { ids, weights }
}

/** All zeros between two calls: a map would cost several times as much. */
const scratch = new Float64Array(DIMENSIONS)

/** Of two that are both sparse. */
export function product(one: Grams, other: Grams): number {
  let [sum, a, b] = [0, 0, 0]
  while (a < one.ids.length && b < other.ids.length) {
    const difference = one.ids[a] - other.ids[b]
    if (difference === 0) sum += one.weights[a] * other.weights[b]
    if (difference <= 0) a++
    if (difference >= 0) b++
  }
  return sum
}

/** The same direction, of length 1. */
export function unit({ ids, weights }: Grams): Grams {
  let square = 0
  for (const weight of weights) square += weight * weight
  const length = Math.sqrt(square) || 1
  return { ids, weights: weights.map((weight) => weight / length) }
}
