import { mixed } from '#services/datasets/shingles'

/** Letters in a row that count as one feature. */
const LETTERS = 4

/** Features are numbered by their hash. */
export const DIMENSIONS = 1 << 14

/**
 * Pieces of words as numbers with how often they come; `ids` ascend.
 */
export type Grams = { ids: Int32Array; weights: Float32Array }

/** Words are remembered with their runs, so many at most. */
const REMEMBERED = 100_000

const remembered = new Map<string, Int32Array>()

/**
 * Counts runs of four letters inside of words, their beginnings and ends marked.
 *
 * @param words in small letters
 */
export function gramsOf(words: string[]): Grams {
  const seen: number[] = []
  for (const word of words) {
    const runs = runsOf(word)
    for (const run of runs) {
      if (scratch[run] === 0) seen.push(run)
      scratch[run]++
    }
  }
  const ids = Int32Array.from(seen).sort()
  const weights = new Float32Array(ids.length)
  for (const [at, id] of ids.entries()) {
    weights[at] = 1 + Math.log(scratch[id])
    scratch[id] = 0
  }
  return { ids, weights }
}

function runsOf(word: string): Int32Array {
  let runs = remembered.get(word)
  if (runs !== undefined) return runs
  const marked = ` ${word} `
  const ids: number[] = []
  for (let at = 0; at + LETTERS <= Math.max(LETTERS, marked.length); at++) {
    let hash = 0
    for (let next = at; next < at + LETTERS && next < marked.length; next++) {
      hash = Math.imul(hash, 0x01000193) ^ marked.charCodeAt(next)
    }
    ids.push(mixed(hash) & (DIMENSIONS - 1))
  }
  runs = Int32Array.from(ids)
  if (remembered.size >= REMEMBERED) remembered.clear()
  remembered.set(word, runs)
  return runs
}

/** The same, each weighed by how rare it is, and of length 1. */
export function weighed({ ids, weights }: Grams, rarity: Float32Array): Grams {
  const scaled = new Float32Array(weights.length)
  for (let at = 0; at < ids.length; at++) scaled[at] = weights[at] * rarity[ids[at]]
  return unit({ ids, weights: scaled })
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
  const scaled = new Float32Array(weights.length)
  for (let at = 0; at < weights.length; at++) scaled[at] = weights[at] / length
  return { ids, weights: scaled }
}
