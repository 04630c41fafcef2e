import { setTimeout as pause } from 'node:timers/promises'
import type { TerminalStatus } from '../../statuses.ts'
import { translated } from '../trouble.ts'
import { AT } from '../writer/job_row.ts'
import { weightsOf } from './candidates.ts'
import type { Eraser } from './eraser.ts'

/** Rows of logs and timelines that one transaction deletes: some milliseconds. */
const PIECE = 1_000

/** Whoever waits for SQLite's file asks again within 22 ms; the other databases have queues. */
const YIELD = { sqlite: 25, postgres: 0, mysql: 0 }

/** A connection that nobody deletes over any more is closed after this long, ms. */
const IDLE = 5_000

/**
 * Deletes single records, with all that belongs to them, one after the other over one connection.
 */
export class Deletion {
  #turn: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined

  constructor(private eraser: Eraser) {}

  /**
   * @param id  UUID of the record.
   * @param now  Redis' clock, see `Eraser.erase`
   * @returns false when it is not there, or no longer has this status
   * @throws E_DATABASE_UNAVAILABLE
   */
  erase(id: string, status: TerminalStatus, now: number | null): Promise<boolean> {
    const turn = this.#turn.then(() => this.#erase(id, status, now))
    this.#turn = turn.catch(() => {})
    return turn
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#turn
    await this.eraser.close()
  }

  async #erase(id: string, status: TerminalStatus, now: number | null): Promise<boolean> {
    clearTimeout(this.#idle)
    const { eraser } = this
    const ended = { status, before: Number.MAX_SAFE_INTEGER }
    try {
      const { seq, weight } = await eraser.read(async (session) => {
        const [row] = await session.jobs([id])
        const found = row && (row[AT.seq] as number)
        return { seq: found, weight: found && (await weightsOf(session, [found])).get(found) }
      })
      if (!seq) return false
      for (const table of ['logs', 'events'] as const) {
        for (let left = weight ? weight[table] : 0; left > PIECE;) {
          const erased = await eraser.erasePiece(seq, table, PIECE, ended, async () => {})
          if (erased === 0) break
          left -= erased
          await pause(YIELD[eraser.dialect])
        }
      }
      const { records } = await eraser.erase([seq], ended, now, async () => {})
      return records === 1
    } catch (error) {
      throw translated(error, 'the record was not deleted')
    } finally {
      this.#idle = setTimeout(() => void this.eraser.close(), IDLE).unref()
    }
  }
}
