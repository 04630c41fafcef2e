/**
 * Statements of one connection, one after the other. Whoever writes may send the next before the last was answered. In a
 * transaction, those behind one that failed fail with it: MySQL ends a transaction by itself at a deadlock, and what came after
 * would be committed alone.
 */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve()
  #isTransaction = false
  #failure: { error: unknown } | undefined

  run<T>(statement: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      if (this.#failure) throw this.#failure.error
      return statement()
    })
    this.#last = result.catch((error: unknown) => {
      if (this.#isTransaction) this.#failure ??= { error }
    })
    return result
  }

  begun(): void {
    this.#isTransaction = true
    this.#failure = undefined
  }

  /** Waits for what is under way; statements run again after it. */
  async over(): Promise<void> {
    await this.#last
    this.#isTransaction = false
    this.#failure = undefined
  }
}
