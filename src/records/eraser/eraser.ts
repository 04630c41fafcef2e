import { statusCode, type TerminalStatus } from '../../statuses.ts'
import type { DialectName } from '../dialect/names.ts'
import type { Session } from '../dialect/session.ts'
import { idOf } from '../reader/rows.ts'
import { takeBackRuns } from '../schedules/run_rows.ts'
import { storedName } from '../storable.ts'
import { AT } from '../writer/job_row.ts'
import { Tally } from '../writer/tally.ts'
import { countStages, eraseBelongings, erasePiece, type Piece, stripStages } from './belongings.ts'
import { lists } from '../lists.ts'

/**
 * Which records a transaction may touch: those that ended with this status before a moment (epoch ms). A walk with `since` leaves out
 * those that ended before that one.
 */
export type Ended = { status: TerminalStatus; before: number; since?: number }

/**
 * Deletes records, and everything that belongs to them, in short transactions. What records count (counters, cube, timeline)
 * changes in the same transaction.
 *
 * Every deleting transaction first locks the row that counts jobs, as the mirror's do (see `Writer`), so the two take turns and
 * what one has read the other does not change. The conditions are asked again under this lock, and once more by the deletion.
 */
export class Eraser {
  /** For tests that kill: called inside of each deleting transaction, in front of its commit. */
  hook?: () => void | Promise<void>

  #open: () => Promise<Session>
  #session: Session | undefined

  /** Milliseconds from the beginning to the end of the newest deleting transaction. */
  lastHeld = 0

  get dialect(): DialectName {
    return this.#session?.dialect ?? 'sqlite'
  }

  /** @param open  Gives a new connection; called again after one was lost. */
  constructor(open: () => Promise<Session>) {
    this.#open = open
  }

  /**
   * Deletes records, with all that belongs to them, in one transaction. Those that no longer are what `ended` says stay.
   *
   * @param now  Redis' clock, epoch ms: runs of schedules that are not missed by then are taken back with their jobs' records. Null where no
   *   schedule made any of the jobs.
   * @param note  Something to write in the same transaction: how many went.
   * @returns how many records, and rows of their logs and timelines, went
   */
  erase(
    seqs: number[],
    ended: Ended,
    now: number | null,
    note: (session: Session, erased: { records: number; logs: number }) => Promise<void>
  ): Promise<{ records: number; logs: number }> {
    return this.locked(async (session) => {
      const rows = []
      for (const list of lists(seqs)) {
        rows.push(
          ...(await session.all(
            `select seq, id, queue_id, type_id, user_id, host_id, status, created_at, tagged from queuedeck_jobs where seq in (${list}) and ${condition(ended)}`,
            [ended.before]
          ))
        )
      }
      const tally = new Tally()
      const tags = await this.#tags(
        session,
        rows.filter(({ tagged }) => tagged === 1).map(({ seq }) => seq)
      )
      for (const row of rows) tally.count(countedRow(row), tags.get(row.seq) ?? [], -1)
      const found = rows.map(({ seq }) => seq as number).sort((one, other) => one - other)
      let records = 0
      let logs = 0
      for (const list of lists(found)) {
        logs += await eraseBelongings(session, list)
        records += await session.run(
          `delete from queuedeck_jobs where seq in (${list}) and ${condition(ended)}`,
          [ended.before]
        )
      }
      if (records !== rows.length) {
        throw new Error('Records changed while they were deleted: somebody else writes them')
      }
      await tally.write(session)
      if (now !== null) {
        /** A schedule would take such a run for lost, once neither Redis nor a record knows it. */
        const ids = rows.map(({ id }) => idOf(id))
        await takeBackRuns(session, ids, now)
      }
      await note(session, { records, logs })
      return { records, logs }
    })
  }

  /**
   * Deletes a piece of the log or the timeline of one record that has very much of it. Answers how many rows went.
   */
  erasePiece(
    seq: number,
    table: Piece,
    limit: number,
    ended: Ended,
    note: (session: Session, rows: number) => Promise<void>
  ): Promise<number> {
    return this.locked(async (session) => {
      const rows = await session.all(
        `select seq from queuedeck_jobs where seq = ? and ${condition(ended)}`,
        [seq, ended.before]
      )
      if (rows.length === 0) return 0
      const erased = await erasePiece(session, seq, table, limit)
      await note(session, erased)
      return erased
    })
  }

  /**
   * Deletes the log and the progress history of records, which themselves stay, in one transaction.
   *
   * @param most  Rows of timelines that are changed at most: `isDone` is false when there may be more.
   */
  strip(
    seqs: number[],
    ended: Ended,
    most: number,
    note: (session: Session, erased: { logs: number; stages: number }) => Promise<void>
  ): Promise<{ logs: number; stages: number; isDone: boolean }> {
    return this.locked(async (session) => {
      let logs = 0
      let stages = 0
      let isDone = true
      for (const list of lists(seqs)) {
        const rows = await session.all(
          `select seq from queuedeck_jobs where seq in (${list}) and ${condition(ended)}`,
          [ended.before]
        )
        for (const part of lists(rows.map(({ seq }) => seq))) {
          logs += await session.run(`delete from queuedeck_logs where seq in (${part})`)
          const stripped = await stripStages(session, part, most)
          stages += stripped.stages
          isDone &&= stripped.isDone
        }
      }
      await note(session, { logs, stages })
      return { logs, stages, isDone }
    })
  }

  /** How many lines of logs `erase` would delete with these records. Reads without any lock. */
  countLogs(seqs: number[]): Promise<number> {
    return this.read(async (session) => {
      let logs = 0
      for (const list of lists(seqs)) {
        const [{ n }] = await session.all(
          `select count(*) as n from queuedeck_logs where seq in (${list})`
        )
        logs += Number(n)
      }
      return logs
    })
  }

  /** What `strip` would delete of these records. Reads without any lock. */
  async countDetails(seqs: number[]): Promise<{ logs: number; stages: number }> {
    const logs = await this.countLogs(seqs)
    return this.read(async (session) => {
      let stages = 0
      for (const list of lists(seqs)) stages += await countStages(session, list)
      return { logs, stages }
    })
  }

  /**
   * Something short under the lock of records, and what it holds.
   */
  async locked<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#begin()
    let begun = performance.now()
    const answer = await this.#finish(session, async () => {
      await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
      // From here on others wait; waiting for them oneself holds nobody up.
      begun = performance.now()
      const result = await action(session)
      await this.hook?.()
      return result
    })
    this.lastHeld = performance.now() - begun
    return answer
  }

  /**
   * Something short in a transaction of its own, without the lock of records.
   */
  async transaction<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#begin()
    return this.#finish(session, action)
  }

  /** Reads without any lock. */
  async read<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#ready()
    return this.#kept(() => action(session))
  }

  async close(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close().catch(() => {})
  }

  async #ready(): Promise<Session> {
    return (this.#session ??= await this.#open())
  }

  async #begin(): Promise<Session> {
    const session = await this.#ready()
    await this.#kept(() => session.begin())
    return session
  }

  /** Whatever fails may have failed because the connection was lost: the next opens another. */
  async #kept<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async #finish<T>(session: Session, action: (session: Session) => Promise<T>): Promise<T> {
    try {
      const answer = await action(session)
      await session.commit()
      return answer
    } catch (error) {
      await session.rollback().catch(() => {})
      await this.close()
      throw error
    }
  }

  async #tags(session: Session, seqs: number[]): Promise<Map<number, number[]>> {
    const tags = new Map<number, number[]>()
    for (const list of lists(seqs)) {
      const rows = await session.all(
        `select seq, tag_id from queuedeck_tags where seq in (${list})`
      )
      for (const { seq, tag_id: tag } of rows) tags.set(seq, [...(tags.get(seq) ?? []), tag])
    }
    return tags
  }
}

/**
 * How far the mirror is with a queue.
 */
export async function cursorOf(
  session: Pick<Session, 'all'>,
  queue: string
): Promise<{ lastId: string; notes: string | null } | null> {
  const [row] = await session.all('select last_id, notes from queuedeck_cursors where queue = ?', [
    storedName(queue),
  ])
  return row ? { lastId: row.last_id, notes: row.notes } : null
}

function condition({ status }: Ended): string {
  return `status = ${statusCode(status)} and stopping = 0 and coalesce(finished_at, created_at) < ?`
}

function countedRow(row: Record<string, any>): unknown[] {
  const counted: unknown[] = []
  counted[AT.queue] = row.queue_id
  counted[AT.type] = row.type_id
  counted[AT.user] = row.user_id
  counted[AT.host] = row.host_id
  counted[AT.status] = row.status
  counted[AT.createdAt] = row.created_at
  return counted
}
