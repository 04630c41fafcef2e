import type { Turns } from '#services/documents/turns'
import { likeness, mixed, shinglesOf } from './shingles.ts'

/** Two texts that have this much in common say the same. */
export const SAME = 0.8

const BANDS = 16
const ROWS = 4
const HASHES = BANDS * ROWS

/** Texts of one bucket that others are compared with: a bucket of thousands must not cost millions of comparisons. */
const COMPARED = 6

/**
 * Finds texts that say nearly the same among many, in near-linear time: MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman
 * and Ullman, "Mining of Massive Datasets", 3.4), each candidate then compared by what it is made of. Texts that have `SAME` in common
 * meet in some band with a probability of 0.9998.
 */
export class NearDuplicates {
  /** Of each text one key for each band: texts of one key meet. */
  #keys: Int32Array[] = []
  #shingles: Uint32Array[] = []
  #seeds = Int32Array.from({ length: HASHES }, (_, index) => mixed(index + 1) | 1)
  #signature = new Int32Array(HASHES)

  add(text: string): void {
    const shingles = shinglesOf(text)
    const [signature, seeds] = [this.#signature.fill(0x7fffffff), this.#seeds]
    for (const shingle of shingles) {
      const spread = shingle ^ (shingle >>> 15)
      for (let at = 0; at < HASHES; at++) {
        /** Multiply, then take the high bits into account: enough for a minimum. */
        const product = Math.imul(spread, seeds[at])
        /** The smallest as numbers without a sign, compared as numbers with one. */
        const hash = product ^ (product >>> 14) ^ 0x80000000
        if (hash < signature[at]) signature[at] = hash
      }
    }
    this.#shingles.push(shingles)
    this.#keys.push(Int32Array.from({ length: BANDS }, (_, band) => keyOf(signature, band)))
  }

  /**
   * The group of each text, in the order they were added, named by the number of its first text.
   */
  async groups(turns: Turns): Promise<Uint32Array> {
    const count = this.#keys.length
    const parents = Uint32Array.from({ length: count }, (_, index) => index)
    const root = (index: number): number => {
      let at = index
      while (parents[at] !== at) at = parents[at] = parents[parents[at]]
      return at
    }
    const [keys, shingles] = [this.#keys, this.#shingles]
    const same = (one: number, other: number): boolean => {
      const [first, second] = [root(one), root(other)]
      if (first === second) return true
      if (likeness(shingles[one], shingles[other]) < SAME) return false
      parents[Math.max(first, second)] = Math.min(first, second)
      return true
    }
    const buckets = new Buckets(count)
    for (let band = 0; band < BANDS; band++) {
      buckets.clear()
      for (let index = 0; index < count; index++) {
        if ((index & 63) === 0 && turns.due()) await turns.give()
        if (shingles[index].length > 0) buckets.meet(index, keys[index][band], same)
      }
    }
    for (let index = 0; index < count; index++) {
      if ((index & 4_095) === 0 && turns.due()) await turns.give()
      parents[index] = root(index)
    }
    return parents
  }
}

/**
 * Texts by a key, in typed arrays: a table of the first text of each key, and lists of the others.
 */
class Buckets {
  /** The first text of a key, from 1, where the key's hash points to or behind it; 0 where there is none. */
  #first: Int32Array
  #next: Int32Array
  #keys: Int32Array

  constructor(texts: number) {
    this.#first = new Int32Array(2 ** Math.ceil(Math.log2(2 * texts + 2)))
    this.#next = new Int32Array(texts)
    this.#keys = new Int32Array(texts)
  }

  clear(): void {
    this.#first.fill(0)
    this.#next.fill(-1)
  }

  /** Compares a text with those of its key that are there, and leaves it with them where it is new. */
  meet(text: number, key: number, same: (one: number, other: number) => boolean): void {
    const mask = this.#first.length - 1
    this.#keys[text] = key
    let place = key & mask
    while (this.#first[place] !== 0 && this.#keys[this.#first[place] - 1] !== key) {
      place = (place + 1) & mask
    }
    if (this.#first[place] === 0) {
      this.#first[place] = text + 1
      return
    }
    let met = 1
    for (let other = this.#first[place] - 1; ; met++) {
      if (same(text, other)) return
      const next = this.#next[other]
      if (next === -1) {
        if (met < COMPARED) this.#next[other] = text
        return
      }
      other = next
    }
  }
}

function keyOf(signature: Int32Array, band: number): number {
  let key = 0
  for (let row = 0; row < ROWS; row++) {
    key = mixed(Math.imul(key, 31) ^ signature[band * ROWS + row])
  }
  return key | 0
}
