/**
 * A growing list of whole numbers below 2^31, four bytes each: lists of millions of them cost a collection of garbage nothing.
 */
export class Numbers {
  length = 0
  #values = new Int32Array(1_024)

  push(value: number): void {
    if (this.length === this.#values.length) {
      const values = new Int32Array(2 * this.length)
      values.set(this.#values)
      this.#values = values
    }
    this.#values[this.length++] = value
  }

  /** All of them; nothing is copied. */
  taken(): Int32Array {
    return this.#values.subarray(0, this.length)
  }
}
