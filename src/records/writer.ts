import { isTerminal, STATUSES } from '../statuses.ts'
import { within } from '../time/within.ts'
import type { Session, Shape } from './dialect/session.ts'
import { idOf } from './reader/rows.ts'
import { storableShort, storable, storedName } from './storable.ts'
import { CURSOR_COLUMNS, NAME_KINDS, TABLES } from './tables.ts'
import { loadJobs, selectJobs } from './writer/job_loading.ts'
import { JobWriting } from './writer/job_writing.ts'
import { NameBook } from './writer/name_book.ts'
import { openSeqs, type OpenJob, type OpenPage } from './writer/open_jobs.ts'
import type { Batch, Cursor, CursorMove, Fold, JobKey } from './writer_types.ts'
import { lists } from './lists.ts'

const NEW_CURSORS: Shape = {
  table: TABLES.cursors,
  columns: CURSOR_COLUMNS,
  existing: 'ignore',
}

/**
 * Writes records; the mirror alone uses it. One connection, on which transactions take turns.
 *
 * Whoever writes locks in one order: the cursors by queue name, then the row that counts jobs, which keeps one writer at a
 * time from there on. So two mirrors wait for each other and never deadlock, and what a transaction reads nobody changes
 * before it ends.
 */
export class Writer {
  /** For tests that kill: 1 cursors moved, 2 a part folded, 3 all of them sent, 4 before and 5 after the commit. */
  hook?: (point: 1 | 2 | 3 | 4 | 5) => void

  #open: () => Promise<Session>
  #session: Session | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #names = new NameBook()
  #isClosed = false

  /** When the tables were made, and the highest number of a job seen: tell tables that were made anew. */
  #made: number | undefined
  #highest = 0

  /**
   * @param open  Gives a new connection; called again after one was lost.
   */
  constructor(open: () => Promise<Session>) {
    this.#open = open
  }

  /**
   * Moves cursors and writes what `fold` makes of the stored records, in one transaction. False when a cursor was not where
   * the batch says: another mirror moved it, and nothing was written. Throws when the database is away, nothing written.
   */
  apply(batch: Batch, fold: Fold): Promise<boolean> {
    return this.#transaction(async (session) => {
      if (!(await this.#moveCursors(session, batch.cursors))) return false
      this.hook?.(1)
      const numbered = await this.#lockJobs(session)
      const jobs = await loadJobs(session, this.#names, batch.jobs)
      const writing = new JobWriting(session, this.#names, numbered)
      try {
        for (const folded of fold(jobs)) {
          this.hook?.(2)
          await writing.add(folded)
          if (batch.isUnhurried) await writing.settled()
          await session.turn()
        }
        this.hook?.(3)
      } catch (error) {
        /** What is under way may send more, and must not do so behind the end of the transaction. */
        await writing.settled().catch(() => {})
        throw error
      }
      await writing.end()
      const { highest } = writing
      if (highest > numbered) {
        await session.run(`update queuedeck_meta set value = ? where name = 'jobs'`, [highest])
      }
      this.hook?.(4)
      return true
    })
  }

  /**
   * Cursors of these queues; one that is missing is made, at `0-0`.
   */
  cursors(queues: string[]): Promise<Map<string, Cursor>> {
    return this.#take(async (session) => {
      const stored = new Map(queues.map((queue) => [storedName(queue), queue]))
      const names = [...stored.keys()].sort()
      const read = async () => {
        const select = 'select queue, last_id, skew, server, notes from queuedeck_cursors where'
        const rows = await session.allIn(select, 'queue', 'name', names)
        return new Map(rows.map((row) => [row.queue as string, row]))
      }
      let rows = await read()
      const missing = names.filter((name) => !rows.has(name))
      if (missing.length > 0) {
        await session.put(
          NEW_CURSORS,
          missing.map((name) => [name, '0-0', 0, null, null])
        )
        rows = await read()
      }
      const cursors = new Map<string, Cursor>()
      for (const [name, queue] of stored) {
        const { last_id: lastId, skew, server, notes } = rows.get(name)!
        cursors.set(queue, { queue, lastId, skew, server, notes })
      }
      return cursors
    })
  }

  /**
   * Records of a queue that Redis may still change, oldest first: those that are not terminal, and those still `stopping`. Each
   * page is a range of the index by queue and status, however many there are.
   */
  openJobs(queue: string, page: OpenPage): Promise<OpenJob[]> {
    return this.#take(async (session) => {
      const [name] = await session.all(
        `select id from queuedeck_names where kind = ${NAME_KINDS.queue} and name = ?`,
        [storedName(queue)]
      )
      if (!name) return []
      const seqs = await openSeqs(session, name.id, page)
      const rows = await session.allIn(
        'select seq, id, transport_id, status, created_at from queuedeck_jobs where',
        'seq',
        'seq',
        seqs
      )
      const bySeq = new Map(rows.map((row) => [Number(row.seq), row]))
      return seqs.flatMap((seq) => {
        const row = bySeq.get(seq)
        if (!row) return []
        const id = idOf(row.id)
        const transportId: string = row.transport_id ?? id
        const status = STATUSES[row.status]
        return { id, transportId, status, place: { createdAt: Number(row.created_at), seq } }
      })
    })
  }

  /**
   * What records say of these jobs, by the id of their key; jobs without a record are absent.
   */
  states(keys: JobKey[]) {
    return this.#take(async (session) => {
      const columns = 'id, queue_id, status, run, attempts, stopping, has_payload, has_transport'
      return new Map(
        (await selectJobs(session, this.#names, columns, keys)).map(([key, row]) => [
          key.id,
          {
            status: STATUSES[row.status],
            run: row.run as number,
            attempts: row.attempts as number,
            stopping: row.stopping > 0,
            hasPayload: row.has_payload === 1,
            hasTransport: row.has_transport === 1,
          },
        ])
      )
    })
  }

  /**
   * Notes that Redis no longer holds these jobs, where their records are terminal.
   */
  async markGone(keys: JobKey[]): Promise<void> {
    if (keys.length === 0) return
    await this.#transaction(async (session) => {
      await this.#lockJobs(session)
      const columns = 'id, queue_id, seq, status, has_transport'
      const rows = await selectJobs(session, this.#names, columns, keys)
      const seqs = rows
        .filter(([, row]) => row.has_transport === 1 && isTerminal(STATUSES[row.status]))
        .map(([, { seq }]) => seq as number)
        .sort((one, other) => one - other)
      for (const list of lists(seqs)) {
        await session.run(`update queuedeck_jobs set has_transport = 0 where seq in (${list})`)
      }
      return true
    })
  }

  /**
   * Something short beside records, in a transaction under the lock that all writers share.
   */
  async upkeep<T>(action: (session: Session, names: NameBook) => Promise<T>): Promise<T> {
    let answer: T
    await this.#transaction(async (session) => {
      await this.#lockJobs(session)
      answer = await action(session, this.#names)
      return true
    })
    return answer!
  }

  /**
   * Ends the connection, after what is under way.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#turn.catch(() => {})
    await this.#discard()
  }

  async #moveCursors(session: Session, moves: CursorMove[]): Promise<boolean> {
    if (moves.length === 0) return true
    const byName = new Map(moves.map((move) => [storedName(move.queue), move]))
    const names = [...byName.keys()].sort()
    const select = `select queue, last_id, skew from queuedeck_cursors where queue = ?${session.lock}`
    const stored = await Promise.all(names.map((name) => session.all(select, [name])))
    for (const [index, name] of names.entries()) {
      const [row] = stored[index]
      const { from } = byName.get(name)!
      if (!row || row.last_id !== from.lastId || row.skew !== from.skew) return false
    }
    const update =
      'update queuedeck_cursors set last_id = ?, skew = ?, server = ?, notes = ? where queue = ?'
    const moved = [...byName].map(
      ([
        name,
        {
          next: { lastId, skew, server, notes },
        },
      ]) =>
        session.run(update, [
          lastId,
          skew,
          server === null ? null : storableShort(server),
          notes === null ? null : storable(notes),
          name,
        ])
    )
    await Promise.all(moved)
    return true
  }

  /**
   * Locks the row that counts jobs and tells the highest number given out.
   */
  async #lockJobs(session: Session): Promise<number> {
    const rows = await session.all(
      `select name, value from queuedeck_meta where name in ('jobs', 'made') order by name${session.lock}`
    )
    const value = (name: string) => rows.find((row) => row.name === name)?.value ?? 0
    const highest = value('jobs')
    if (value('made') !== this.#made || highest < this.#highest) this.#names.forget()
    this.#made = value('made')
    this.#highest = highest
    return highest
  }

  #transaction(action: (session: Session) => Promise<boolean>): Promise<boolean> {
    return this.#take(async (session) => {
      await session.begin()
      try {
        const isDone = await action(session)
        if (!isDone) {
          this.#names.rolledBack()
          await session.rollback()
          return false
        }
        await session.commit()
        this.#names.committed()
      } catch (error) {
        this.#names.rolledBack()
        await session.rollback().catch(() => this.#discard())
        throw error
      }
      this.hook?.(5)
      return true
    })
  }

  /**
   * The connection, in turn. One that fails outside of SQL's own refusals is given up, and the next turn opens another.
   */
  #take<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const result = this.#turn
      .catch(() => {})
      .then(async () => {
        if (this.#isClosed) throw new Error('The records have been closed')
        this.#session ??= await this.#open()
        try {
          return await action(this.#session)
        } catch (error) {
          if (this.#session && !isRefusal(this.#session, error)) await this.#discard()
          throw error
        }
      })
    this.#turn = result
    return result
  }

  async #discard(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    // A dead server answers no farewell.
    if (session) await within(500, session.close()).catch(() => {})
  }
}

/** MySQL's words for a server that only reads (what was the primary until a failover still answers), and for an ended connection. */
const NO_REFUSALS = [1290, 1792, 1836, 1927, 4031]

/**
 * Errors that leave the connection usable: the server, or SQLite, refused a statement. Not where it only reads, has ended the session, or
 * forgot prepared statements (25 and 26, 42P05): another connection may reach the one that takes records.
 */
function isRefusal({ dialect }: Session, error: unknown): boolean {
  if (dialect === 'sqlite') return true
  const { code, errno, sqlState } = error as { code?: string; errno?: number; sqlState?: string }
  if (dialect === 'mysql')
    return (
      typeof errno === 'number' &&
      sqlState !== undefined &&
      !sqlState.startsWith('08') &&
      !NO_REFUSALS.includes(errno)
    )
  return /^(2[0-47-9]|4[024])(?!P05)[0-9A-Z]{3}$/.test(code ?? '')
}
