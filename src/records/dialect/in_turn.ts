import { Soundness } from './soundness.ts'

/**
 * Statements of one connection, one after the other. Whoever writes may send the next before the last was answered. In a transaction, those
 * behind one that failed fail with it.
 */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve()
  #soundness = new Soundness()

  run<T>(statement: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      this.#soundness.assert()
      return statement()
    })
    this.#last = result.catch((error: unknown) => this.#soundness.failed(error))
    return result
  }

  /** Without waiting for those before, where the database itself refuses what comes behind one that failed. */
  async atOnce<T>(statement: () => Promise<T>): Promise<T> {
    this.#soundness.assert()
    try {
      return await statement()
    } catch (error) {
      throw this.#soundness.failed(error)
    }
  }

  get isTransaction(): boolean {
    return this.#soundness.isTransaction
  }

  begun(): void {
    this.#soundness.begun()
  }

  /** Waits for what is under way; statements run again after it. */
  async over(): Promise<void> {
    await this.#last
    this.#soundness.over()
  }
}
