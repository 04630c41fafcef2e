/** What a transaction is meant to take, ms: far below 200, which none may, because the next one may be slower than the last. */
const TARGET = 25

/**
 * How much one transaction deletes, found by measuring: rows of logs and timelines weigh as much as a record without any.
 */
export class BatchSize {
  #weight: number

  constructor(
    weight = 200,
    private limits = { least: 10, most: 10_000, target: TARGET }
  ) {
    this.#weight = weight
  }

  get weight(): number {
    return Math.round(this.#weight)
  }

  /**
   * Takes note of how long a transaction held its lock. Too long counts at once and in full, short only by half.
   *
   * @param weight  What it deleted.
   */
  measured(weight: number, milliseconds: number): void {
    const { least, most, target } = this.limits
    const ratio = target / Math.max(milliseconds, 0.5)
    if (ratio < 1) this.#weight = Math.min(this.#weight, weight) * Math.max(ratio, 0.1)
    // A batch that was not full tells little about one that is.
    else if (weight >= this.#weight * 0.8) this.#weight *= Math.min(1.5, (1 + ratio) / 2)
    this.#weight = Math.min(most, Math.max(least, this.#weight))
  }
}
