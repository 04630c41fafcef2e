import { InvalidInputException } from '../../errors.ts'
import { STATUSES } from '../../statuses.ts'
import type { AttemptView, EventView, JobDetails, LogLevel } from '../../types.ts'
import type { Db } from '../dialect/db.ts'
import { isUuid } from '../ids.ts'
import type { Body, LogPage } from '../reader_types.ts'
import { ATTEMPT_OUTCOMES } from '../tables.ts'
import type { EventTuple } from '../writer_types.ts'
import type { NameReader } from './name_reader.ts'
import { errorOf, momentOf, readJobs } from './rows.ts'
import { idValue } from './sql.ts'

const LEVELS: Record<number, LogLevel> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

const LOG_CURSOR = /^(\d{1,19})\.(\d{1,9})$/
const MOST_LINES = 1000

export type LogOptions = {
  run?: number
  /** Lines a page, up to 1,000. Default 200. */
  limit?: number
  cursor?: string | null
  /** Begins with the newest lines; `next` then leads to older ones. Lines of a page stand oldest first either way. */
  newest?: boolean
}

/**
 * One job with all that its page shows; null when no record has that id.
 */
export async function readDetails(
  db: Db,
  names: NameReader,
  id: string
): Promise<JobDetails | null> {
  if (!isUuid(id)) return null
  const [job] = await readJobs(db, names, 'id = ?', [idValue(db.dialect, id)])
  if (!job) return null
  const { seq, hasTransport, moved, view } = job
  const [body, attemptList, events, runs, checkpoints] = await Promise.all([
    readBodyOf(db, seq),
    readAttempts(db, names, seq),
    readEvents(db, seq),
    readRuns(db, seq),
    readCheckpoints(db, seq, view.run),
  ])
  return { ...view, ...body, attemptList, events, runs, checkpoints, hasTransport, moved }
}

/** Payload, options and result; null when no record has that id. */
export async function readBody(db: Db, id: string): Promise<Body | null> {
  const seq = await seqOf(db, id)
  return seq === null ? null : readBodyOf(db, seq)
}

/**
 * Log lines of a job; none for an unknown one. Throws InvalidInputException for a cursor that is none.
 */
export async function readLogs(db: Db, id: string, options: LogOptions): Promise<LogPage> {
  const seq = await seqOf(db, id)
  if (seq === null) return { lines: [], next: null }
  const { run, cursor, newest = false } = options
  const limit = Math.max(1, Math.min(MOST_LINES, Math.floor(options.limit ?? 200)))
  const conditions = ['seq = ?']
  const values: unknown[] = [seq]
  if (run !== undefined) {
    conditions.push('run = ?')
    values.push(run)
  }
  if (cursor) {
    const [version, n] = readLogCursor(cursor)
    const beyond = newest ? '<' : '>'
    conditions.push(`(version ${beyond} ? or (version = ? and n ${beyond} ?))`)
    values.push(version, version, n)
  }
  const order = newest ? 'desc' : 'asc'
  const asText = db.dialect === 'mysql' ? 'cast(version as char)' : 'cast(version as text)'
  const rows = await db.all(
    `select ${asText} as position, n, run, attempt, at, level, line from queuedeck_logs where ${conditions.join(' and ')} order by version ${order}, n ${order} limit ${limit + 1}`,
    values
  )
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last ? `${last.position}.${last.n}` : null
  if (newest) shown.reverse()
  const lines = shown.map((row) => ({
    at: Number(row.at),
    run: row.run,
    attempt: row.attempt,
    level: LEVELS[Math.min(60, Math.max(10, Math.floor(row.level / 10) * 10))],
    line: row.line,
  }))
  return { lines, next }
}

function readLogCursor(cursor: string): [version: bigint, n: number] {
  const match = LOG_CURSOR.exec(cursor)
  const version = match ? BigInt(match[1]) : 0n
  if (match && version <= 2n ** 63n - 1n) return [version, Number(match[2])]
  throw new InvalidInputException(
    'The cursor of the log was altered or cut: take it whole from the page before, or leave it out',
    'cursor'
  )
}

async function seqOf(db: Db, id: string): Promise<number | null> {
  if (!isUuid(id)) return null
  const [row] = await db.all('select seq from queuedeck_jobs where id = ?', [
    idValue(db.dialect, id),
  ])
  return row ? Number(row.seq) : null
}

async function readBodyOf(db: Db, seq: number): Promise<Body> {
  const [row] = await db.all(
    'select payload, options, result from queuedeck_bodies where seq = ?',
    [seq]
  )
  return {
    payload: row?.payload ?? null,
    options: row?.options ?? null,
    result: row?.result ?? null,
  }
}

async function readAttempts(db: Db, names: NameReader, seq: number): Promise<AttemptView[]> {
  const rows = await db.all(
    'select run, attempt, outcome, worker_id, started_at, finished_at, error_code, error, stack from queuedeck_attempts where seq = ? order by run, attempt',
    [seq]
  )
  await names.load(rows.map((row) => row.worker_id))
  return rows.map((row) => {
    const worker = names.textOrNull(row.worker_id)
    return {
      run: row.run,
      attempt: row.attempt,
      outcome: ATTEMPT_OUTCOMES[row.outcome],
      worker,
      // `<host>:<pid>:<random>`, and an IPv6 address has colons too
      host: worker && (worker.split(':').slice(0, -2).join(':') || null),
      startedAt: momentOf(row.started_at),
      finishedAt: momentOf(row.finished_at),
      error: errorOf(row),
    }
  })
}

async function readEvents(db: Db, seq: number): Promise<EventView[]> {
  const rows = await db.all('select list from queuedeck_events where seq = ? order by version', [
    seq,
  ])
  return rows
    .flatMap(({ list }) => JSON.parse(list) as EventTuple[])
    .map(([at, run, attempt, kind, detail]) => ({ at, run, attempt, kind, detail }))
}

/** Earlier runs, as they ended; oldest first. */
async function readRuns(db: Db, seq: number): Promise<JobDetails['runs']> {
  const rows = await db.all(
    'select run, status, started_at, finished_at, error_code, error from queuedeck_runs where seq = ? order by run',
    [seq]
  )
  return rows.map((row) => ({
    run: row.run,
    status: STATUSES[row.status],
    startedAt: momentOf(row.started_at),
    finishedAt: momentOf(row.finished_at),
    error: errorOf(row),
  }))
}

/** What the current run has kept; null when that is nothing. */
async function readCheckpoints(
  db: Db,
  seq: number,
  run: number
): Promise<JobDetails['checkpoints']> {
  const [row] = await db.all(
    'select count, bytes, newest, at from queuedeck_checkpoints where seq = ? and run = ?',
    [seq, run]
  )
  if (!row) return null
  return { count: row.count, bytes: Number(row.bytes), newest: row.newest, at: Number(row.at) }
}
