/**
 * Whether the transaction of a connection is sound. Behind a statement that failed nothing more may be sent: SQLite (its disk is full) and
 * MySQL (a deadlock) end a transaction by themselves then, and what came after would be committed alone.
 */
export class Soundness {
  #isTransaction = false
  #failure: { error: unknown } | undefined

  get isTransaction(): boolean {
    return this.#isTransaction
  }

  begun(): void {
    this.#isTransaction = true
    this.#failure = undefined
  }

  over(): void {
    this.#isTransaction = false
    this.#failure = undefined
  }

  /**
   * @throws what the first statement that failed threw
   */
  assert(): void {
    if (this.#failure) throw this.#failure.error
  }

  /**
   * @returns what the first statement that failed threw: of those behind it, the database only says that they came behind one
   */
  failed(error: unknown): unknown {
    if (!this.#isTransaction) return error
    this.#failure ??= { error }
    return this.#failure.error
  }
}
