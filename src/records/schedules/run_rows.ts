import { LATE, RUN_KINDS, type RunKind, type ScheduleRun } from '../../schedule_types.ts'
import type { Row } from '../dialect/db.ts'
import type { Session } from '../dialect/session.ts'
import { SCHEDULE_RUN_COLUMNS } from '../service_columns.ts'
import { TABLES } from '../tables.ts'
import { inParts } from '../../in_parts.ts'
import { mayBeRunId } from './run_id.ts'

/** What was noted of a moment stays: planning it again changes nothing. */
const ROWS = {
  table: TABLES.scheduleRuns,
  columns: SCHEDULE_RUN_COLUMNS,
  existing: 'ignore',
} as const

const COLUMNS = SCHEDULE_RUN_COLUMNS.map(({ name }) => name).join(', ')

type Reading = { all(sql: string, values?: readonly unknown[]): Promise<Row[]> }

/** Runs that one statement asks for. */
const PART = 500

export async function insertRuns(session: Session, runs: ScheduleRun[]): Promise<void> {
  await session.put(
    ROWS,
    runs.map(({ seq, due, generation, jobId, kind, madeAt }) => [
      seq,
      due,
      generation,
      jobId,
      RUN_KINDS.indexOf(kind),
      madeAt,
    ])
  )
}

export async function noteRunKind(
  session: Session,
  { seq, due, generation }: Pick<ScheduleRun, 'seq' | 'due' | 'generation'>,
  kind: RunKind
): Promise<void> {
  await session.run(
    'update queuedeck_schedule_runs set kind = ? where seq = ? and due_at = ? and generation = ?',
    [RUN_KINDS.indexOf(kind), seq, due, generation]
  )
}

/**
 * Notes of these jobs, which have ended, that they have no record any more, where their runs do not count as missed yet: later nobody
 * would take them for lost.
 *
 * @param now  Redis' clock, epoch ms
 */
export async function takeBackRuns(session: Session, jobIds: string[], now: number): Promise<void> {
  const ids = jobIds.filter(mayBeRunId)
  for (const part of inParts(ids, PART)) {
    const rows = await session.all(
      `select ${COLUMNS} from queuedeck_schedule_runs where due_at > ? and kind = 0 and job_id in (${marks(part)})`,
      [now - LATE, ...part]
    )
    for (const row of rows) await noteRunKind(session, runOf(row), 'taken back')
  }
}

/** Ids of the jobs of those runs that were taken back. */
export async function takenBackAmong(
  db: Reading,
  runs: { due: number; jobId: string }[]
): Promise<Set<string>> {
  const ids = new Set<string>()
  for (const part of inParts(runs, PART)) {
    const rows = await db.all(
      `select job_id from queuedeck_schedule_runs where due_at in (${marks(part)}) and kind = ? and job_id in (${marks(part)})`,
      [
        ...part.map(({ due }) => due),
        RUN_KINDS.indexOf('taken back'),
        ...part.map(({ jobId }) => jobId),
      ]
    )
    rows.forEach((row) => ids.add(row.job_id))
  }
  return ids
}

/** Runs of a schedule that are due in [from, to), newest first. */
export async function readRuns(
  db: Reading,
  seq: number,
  { from = 0, to = Number.MAX_SAFE_INTEGER, limit }: { from?: number; to?: number; limit: number }
): Promise<ScheduleRun[]> {
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_schedule_runs where seq = ? and due_at >= ? and due_at < ? order by due_at desc, generation desc limit ?`,
    [seq, from, to, limit]
  )
  return rows.map(runOf)
}

/** Runs that are still planned for an earlier generation of a schedule. */
export async function outdatedRuns(
  db: Reading,
  seq: number,
  generation: number,
  from: number
): Promise<ScheduleRun[]> {
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_schedule_runs where seq = ? and due_at >= ? and generation < ? and kind = 0`,
    [seq, from, generation]
  )
  return rows.map(runOf)
}

/** Planned runs of all schedules that are due in [from, to), oldest first. */
export async function runsBetween(
  db: Reading,
  from: number,
  to: number,
  most: number
): Promise<ScheduleRun[]> {
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_schedule_runs where due_at >= ? and due_at < ? and kind = 0 order by due_at limit ?`,
    [from, to, most]
  )
  return rows.map(runOf)
}

/**
 * The newest planned run of each schedule that is due in [from, to), with the queue of its schedule. One look into the key for each: what is
 * due every few seconds leaves thousands of runs a day.
 */
export async function newestRuns(
  db: Reading,
  from: number,
  to: number
): Promise<(ScheduleRun & { queue: string })[]> {
  const columns = SCHEDULE_RUN_COLUMNS.map(({ name }) => `r.${name}`).join(', ')
  const rows = await db.all(
    `select ${columns}, s.queue from queuedeck_schedules s join queuedeck_schedule_runs r on r.seq = s.seq and r.kind = 0 and r.due_at = (select n.due_at from queuedeck_schedule_runs n where n.seq = s.seq and n.kind = 0 and n.due_at >= ? and n.due_at < ? order by n.due_at desc limit 1)`,
    [from, to]
  )
  return rows.map((row) => ({ ...runOf(row), queue: row.queue }))
}

/** Removes runs that were due before a moment, at most so many; answers how many went. */
export async function eraseRuns(session: Session, before: number, most: number): Promise<number> {
  const rows = await session.all(
    'select seq, due_at, generation from queuedeck_schedule_runs where due_at < ? order by due_at limit ?',
    [before, most]
  )
  if (rows.length === 0) return 0
  const { due_at: last } = rows[rows.length - 1]
  return session.run('delete from queuedeck_schedule_runs where due_at <= ? and due_at < ?', [
    Number(last),
    before,
  ])
}

/** How many runs were due before a moment. */
export async function countRuns(session: Session, before: number): Promise<number> {
  const [{ n }] = await session.all(
    'select count(*) as n from queuedeck_schedule_runs where due_at < ?',
    [before]
  )
  return Number(n)
}

function marks(list: unknown[]): string {
  return list.map(() => '?').join(', ')
}

function runOf(row: Row): ScheduleRun {
  return {
    seq: Number(row.seq),
    due: Number(row.due_at),
    generation: Number(row.generation),
    jobId: row.job_id,
    kind: RUN_KINDS[Number(row.kind)],
    madeAt: Number(row.made_at),
  }
}
