import type { Session } from '../dialect/session.ts'
import { VERSION_TEXT } from '../dialect/version_text.ts'

/** Tables of which one record may have very many rows. */
export type Piece = 'logs' | 'events'

const BELONGING = ['tags', 'runs', 'attempts', 'events', 'bodies', 'edges', 'checkpoints'] as const

/**
 * Deletes everything that belongs to records but the records themselves. Answers how many lines of logs went.
 *
 * @param list  Their numbers, as SQL lists them.
 */
export async function eraseBelongings(session: Session, list: string): Promise<number> {
  for (const table of BELONGING) {
    await session.run(`delete from queuedeck_${table} where seq in (${list})`)
  }
  return session.run(`delete from queuedeck_logs where seq in (${list})`)
}

/**
 * Deletes about so many of the oldest rows of one record. Answers how many.
 */
export async function erasePiece(
  session: Session,
  seq: number,
  table: Piece,
  limit: number
): Promise<number> {
  const [bound] = await session.all(
    `select ${VERSION_TEXT[session.dialect]} as version from queuedeck_${table} where seq = ? order by queuedeck_${table}.version limit 1 offset ?`,
    [seq, limit]
  )
  // A version as a number would be rounded; as text it is compared exactly once the database made a number of it.
  if (bound) {
    const before = BigInt(bound.version)
    const erased = await session.run(
      `delete from queuedeck_${table} where seq = ? and version < ${before}`,
      [seq]
    )
    if (erased > 0) return erased
    return session.run(`delete from queuedeck_${table} where seq = ? and version = ${before}`, [
      seq,
    ])
  }
  return session.run(`delete from queuedeck_${table} where seq = ?`, [seq])
}

/** How a report of progress stands in a timeline: quotes inside of texts have a backslash in front. */
export const STAGE = '%,"stage",%'

/**
 * Takes progress out of the timelines of records. Answers how many reports went, and whether that was all.
 *
 * @param list  Their numbers, as SQL lists them.
 * @param most  Rows that are changed at most.
 */
export async function stripStages(
  session: Session,
  list: string,
  most: number
): Promise<{ stages: number; isDone: boolean }> {
  const rows = await session.all(
    `select seq, ${VERSION_TEXT[session.dialect]} as version, list from queuedeck_events where seq in (${list}) and list like '${STAGE}' limit ?`,
    [most]
  )
  let stages = 0
  for (const { seq, version, list: text } of rows) {
    const events = JSON.parse(text) as [number, number, number, string, unknown][]
    const rest = events.filter(([, , , kind]) => kind !== 'stage')
    if (rest.length === events.length) continue
    stages += events.length - rest.length
    const where = `where seq = ? and version = ${BigInt(version)}`
    if (rest.length === 0) {
      await session.run(`delete from queuedeck_events ${where}`, [seq])
    } else {
      await session.run(`update queuedeck_events set list = ? ${where}`, [
        JSON.stringify(rest),
        seq,
      ])
    }
  }
  return { stages, isDone: rows.length < most || stages === 0 }
}

/** How many reports `stripStages` would take. */
export async function countStages(session: Session, list: string): Promise<number> {
  const rows = await session.all(
    `select list from queuedeck_events where seq in (${list}) and list like '${STAGE}'`
  )
  let stages = 0
  for (const { list: text } of rows) {
    const events = JSON.parse(text) as [number, number, number, string][]
    stages += events.filter(([, , , kind]) => kind === 'stage').length
  }
  return stages
}
