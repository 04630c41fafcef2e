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
  #signatures: Uint32Array[] = []
  #shingles: Uint32Array[] = []
  #seeds = Array.from({ length: HASHES }, (_, index) => mixed(index + 1) | 1)

  add(text: string): void {
    const shingles = shinglesOf(text)
    const signature = new Uint32Array(HASHES).fill(0xffffffff)
    const seeds = this.#seeds
    for (const shingle of shingles) {
      for (let at = 0; at < HASHES; at++) {
        /** Multiply, then take the high bits into account: enough for a minimum. */
        const product = Math.imul(shingle ^ (shingle >>> 15), seeds[at])
        const hash = (product ^ (product >>> 14)) >>> 0
        if (hash < signature[at]) signature[at] = hash
      }
    }
    this.#shingles.push(shingles)
    this.#signatures.push(signature)
  }

  /**
   * The group of each text, in the order they were added, named by the number of its first text.
   */
  async groups(turns: Turns): Promise<Uint32Array> {
    const parents = Uint32Array.from(this.#shingles.keys())
    const root = (index: number): number => {
      let at = index
      while (parents[at] !== at) at = parents[at] = parents[parents[at]]
      return at
    }
    const [signatures, shingles] = [this.#signatures, this.#shingles]
    const same = (one: number, other: number): boolean => {
      const [first, second] = [root(one), root(other)]
      if (first === second) return true
      if (likeness(shingles[one], shingles[other]) < SAME) return false
      parents[Math.max(first, second)] = Math.min(first, second)
      return true
    }
    for (let band = 0; band < BANDS; band++) {
      /** Most buckets hold one text: only more of them are worth a list. */
      const buckets = new Map<number, number | number[]>()
      for (let index = 0; index < parents.length; index++) {
        if ((index & 63) === 0 && turns.due()) await turns.give()
        if (shingles[index].length === 0) continue
        const key = keyOf(signatures[index], band)
        const bucket = buckets.get(key)
        if (bucket === undefined) buckets.set(key, index)
        else if (typeof bucket === 'number') {
          if (!same(index, bucket)) buckets.set(key, [bucket, index])
        } else if (!bucket.some((other) => same(index, other)) && bucket.length < COMPARED) {
          bucket.push(index)
        }
      }
    }
    return parents.map((_, index) => root(index))
  }
}

function keyOf(signature: Uint32Array, band: number): number {
  let key = 0
  for (let row = 0; row < ROWS; row++) {
    key = mixed(Math.imul(key, 31) ^ signature[band * ROWS + row])
  }
  /** Signed: such numbers are cheaper as keys. */
  return key | 0
}
