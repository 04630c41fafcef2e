import { cutText } from '../../cut_text.ts'
import type { Session } from '../dialect/session.ts'
import { storableShort, storable } from '../storable.ts'
import { CLEANUP_COLUMNS } from '../service_columns.ts'
import { TABLES } from '../tables.ts'

/** What made a cleanup run. */
export type CleanupTrigger = 'start' | 'schedule' | 'command' | 'page'

/**
 * One run as it is recorded. Moments are epoch milliseconds by Redis' clock.
 */
export type CleanupRow = {
  seq: number
  startedAt: number
  /** null while it runs. */
  endedAt: number | null
  trigger: CleanupTrigger
  /** Who asked for it. */
  actor: string
  /** `<host>:<pid>:<random>` of the process. */
  process: string
  dryRun: boolean
  counts: Record<string, number>
  /** Why it did not come to its end. */
  error: string | null
}

const ROWS = {
  table: TABLES.cleanups,
  columns: CLEANUP_COLUMNS,
  existing: 'fail',
} as const

const COLUMNS = 'seq, started_at, ended_at, trigger_name, actor, process, dry_run, counts, error'

/** A dry run counts some minutes at most, ms. */
const LONGEST_COUNT = 3_600_000

/**
 * Records the beginning of a run; answers its number.
 */
export async function beginCleanup(
  session: Session,
  run: Pick<CleanupRow, 'startedAt' | 'trigger' | 'actor' | 'process' | 'dryRun'>
): Promise<number> {
  // The lock lets two runs that begin at once take different numbers.
  await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
  const [{ newest }] = await session.all('select max(seq) as newest from queuedeck_cleanups')
  const seq = Number(newest ?? 0) + 1
  await session.put(ROWS, [
    [
      seq,
      run.startedAt,
      null,
      run.trigger,
      storableShort(run.actor),
      storableShort(run.process),
      run.dryRun ? 1 : 0,
      '{}',
      null,
    ],
  ])
  return seq
}

export async function writeCounts(
  session: Session,
  seq: number,
  counts: Record<string, number>
): Promise<void> {
  await session.run('update queuedeck_cleanups set counts = ? where seq = ?', [
    JSON.stringify(counts),
    seq,
  ])
}

export async function endCleanup(
  session: Session,
  { seq, endedAt, counts, error }: Pick<CleanupRow, 'seq' | 'endedAt' | 'counts' | 'error'>
): Promise<void> {
  await session.run(
    'update queuedeck_cleanups set ended_at = ?, counts = ?, error = ? where seq = ?',
    [endedAt, JSON.stringify(counts), error === null ? null : cutText(storable(error), 2_000), seq]
  )
}

/**
 * Ends runs whose process did not: whoever calls this knows that none is under way but dry ones, which run beside others and count as
 * abandoned after an hour. One that still counts then writes its own end over this.
 */
export async function endAbandoned(session: Session, now: number): Promise<void> {
  const end = 'update queuedeck_cleanups set ended_at = ?, error = ? where ended_at is null'
  await session.run(`${end} and dry_run = 0`, [
    now,
    'Its process ended in the middle; the next run went on',
  ])
  await session.run(`${end} and dry_run = 1 and started_at < ?`, [
    now,
    'It had not ended after an hour: its process may have',
    now - LONGEST_COUNT,
  ])
}

/** Removes the records of runs that began before a moment; answers how many. */
export function eraseCleanups(session: Session, before: number): Promise<number> {
  return session.run(
    'delete from queuedeck_cleanups where started_at < ? and ended_at is not null',
    [before]
  )
}

/** How many runs began before a moment. */
export async function countCleanups(session: Reading, before: number): Promise<number> {
  const [{ n }] = await session.all(
    'select count(*) as n from queuedeck_cleanups where started_at < ? and ended_at is not null',
    [before]
  )
  return Number(n)
}

type Reading = { all(sql: string, values?: readonly unknown[]): Promise<Record<string, any>[]> }

/** Runs, newest first; below a number where one is given. */
export async function readCleanups(
  db: Reading,
  { limit, below, real }: { limit: number; below?: number; real?: boolean }
): Promise<CleanupRow[]> {
  const conditions = ['seq > 0']
  if (below !== undefined) conditions.push('seq < ?')
  if (real) conditions.push('dry_run = 0')
  const rows = await db.all(
    `select ${COLUMNS} from queuedeck_cleanups where ${conditions.join(' and ')} order by seq desc limit ?`,
    [...(below === undefined ? [] : [below]), limit]
  )
  return rows.map((row) => ({
    seq: Number(row.seq),
    startedAt: Number(row.started_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
    trigger: row.trigger_name as CleanupTrigger,
    actor: row.actor,
    process: row.process,
    dryRun: row.dry_run === 1,
    counts: JSON.parse(row.counts) as Record<string, number>,
    error: row.error,
  }))
}
