import type { Session } from './dialect/session.ts'
import { translated } from './trouble.ts'

/**
 * Writes what is no record of a job: the audit, bulk operations. One connection, on which transactions take turns; opened when first
 * used, and again after it was lost.
 */
export class Ledger {
  #open: () => Promise<Session>
  #session: Session | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(open: () => Promise<Session>) {
    this.#open = open
  }

  /**
   * @param what  does not happen when the database is away: "the audit was not written"
   * @throws E_DATABASE_UNAVAILABLE, with nothing written
   */
  transaction<T>(what: string, action: (session: Session) => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#transaction(what, action))
    this.#turn = result.catch(() => {})
    return result
  }

  /** Ends the connection, after what is being written. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#turn
    await this.#drop()
  }

  async #transaction<T>(what: string, action: (session: Session) => Promise<T>): Promise<T> {
    try {
      const session = await this.#begin()
      const answer = await action(session)
      await session.commit()
      return answer
    } catch (error) {
      await this.#session?.rollback().catch(() => {})
      await this.#drop()
      const isTold = (error as { code?: string }).code === 'E_DATABASE_UNAVAILABLE'
      throw isTold ? error : translated(error, what)
    }
  }

  /** A connection that had nothing to do for hours may have been ended by the server: nothing was sent yet, so it is opened anew. */
  async #begin(): Promise<Session> {
    if (this.#session) {
      try {
        await this.#session.begin()
        return this.#session
      } catch {
        await this.#drop()
      }
    }
    if (this.#isClosed) throw new Error('The connection to the database is closed')
    this.#session = await this.#open()
    await this.#session.begin()
    return this.#session
  }

  async #drop(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close().catch(() => {})
  }
}
