/** Widest a bucket's middle lies from what is in it, as a share. */
const ERROR = 0.01

const GAMMA = (1 + ERROR) / (1 - ERROR)
const PER_BUCKET = 1 / Math.log(GAMMA)

/**
 * How durations are spread: counts in buckets that grow by a fixed share, after DDSketch (Masson, Rim and Lee, VLDB 2019).
 *
 * Values are whole milliseconds of 0 or more. A quantile is the exact one within 2 %, and exact up to 50 ms. Merging sketches gives the
 * very sketch that their values together would have made, in any order and grouping, so that minutes make hours and hosts make a queue.
 */
export class Sketch {
  /** Values by bucket: 0 holds zeros, `i` what lies above GAMMA^(i-2) up to GAMMA^(i-1). */
  #buckets = new Map<number, number>()
  #count = 0

  /** How many values it holds. */
  get count(): number {
    return this.#count
  }

  add(milliseconds: number, times = 1): void {
    const bucket =
      milliseconds < 1 ? 0 : Math.max(1, Math.ceil(Math.log(milliseconds) * PER_BUCKET) + 1)
    this.#put(bucket, times)
  }

  merge(other: Sketch): this {
    for (const [bucket, times] of other.#buckets) this.#put(bucket, times)
    return this
  }

  /**
   * The value that a share of all values does not exceed (the nearest rank), in milliseconds; null when there are none.
   *
   * @param share  0 to 1: 0.95 for the 95th percentile.
   */
  quantile(share: number): number | null {
    if (this.#count === 0) return null
    const rank = Math.min(this.#count, Math.max(1, Math.ceil(share * this.#count)))
    const buckets = [...this.#buckets.keys()].sort((one, other) => one - other)
    let seen = 0
    for (const bucket of buckets) {
      seen += this.#buckets.get(bucket)!
      if (seen >= rank) return middleOf(bucket)
    }
    return middleOf(buckets.at(-1)!)
  }

  /**
   * As stored: `<distance to the bucket before>.<count>` in base 36, separated by spaces; null for an empty one.
   */
  toText(): string | null {
    if (this.#count === 0) return null
    let before = 0
    return [...this.#buckets]
      .sort(([one], [other]) => one - other)
      .map(([bucket, times]) => {
        const distance = bucket - before
        before = bucket
        return `${distance.toString(36)}.${times.toString(36)}`
      })
      .join(' ')
  }

  /**
   * Adds what `toText` wrote.
   *
   * @throws Error for a text that no sketch wrote
   */
  addText(text: string | null): this {
    if (!text) return this
    let bucket = 0
    for (const part of text.split(' ')) {
      const point = part.indexOf('.')
      const times = Number.parseInt(part.slice(point + 1), 36)
      bucket += Number.parseInt(part.slice(0, point), 36)
      if (!(bucket >= 0 && times > 0)) throw new Error(`"${part}" is no part of a sketch`)
      this.#put(bucket, times)
    }
    return this
  }

  #put(bucket: number, times: number): void {
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + times)
    this.#count += times
  }
}

function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : Math.round((2 * GAMMA ** (bucket - 1)) / (GAMMA + 1))
}
