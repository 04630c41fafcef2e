import { statusCode } from '../../statuses.ts'
import type { Session, Shape } from '../dialect/session.ts'
import { storableNumber, storableShort, storableText } from '../storable.ts'
import { ATTEMPT_OUTCOMES, BODY_COLUMNS, TABLES } from '../tables.ts'
import type { BodyWrite, FoldResult, StoredJob } from '../writer_types.ts'
import type { NameBook } from './name_book.ts'

const ATTEMPTS: Shape = {
  table: TABLES.attempts,
  columns: TABLES.attempts.columns,
  existing: {
    started_at: 'fill',
    worker_id: 'fill',
    finished_at: 'given',
    error_code: 'given',
    error: 'given',
    stack: 'given',
    outcome: 'outcome',
  },
}

const EVENTS: Shape = { table: TABLES.events, columns: TABLES.events.columns, existing: 'ignore' }
const LOGS: Shape = { table: TABLES.logs, columns: TABLES.logs.columns, existing: 'ignore' }
const RUNS: Shape = { table: TABLES.runs, columns: TABLES.runs.columns, existing: 'ignore' }

const BODY_KEYS = ['payload', 'options', 'result'] as const

/** A shape for each set of keys that a body may bring: absent ones leave what is stored. */
const BODIES: Shape[] = Array.from({ length: 8 }, (_, set) => {
  const keys = BODY_KEYS.filter((_key, index) => set & (1 << index))
  return {
    table: TABLES.bodies,
    columns: BODY_COLUMNS.filter(({ name }) => name === 'seq' || keys.includes(name as never)),
    existing: Object.fromEntries(keys.map((key) => [key, 'replace'])) as Record<string, 'replace'>,
  }
})

/**
 * Writes what belongs to records: bodies, attempts, earlier runs, events and log lines. Only of those that `isWritten`.
 */
export async function writeDetails(
  session: Session,
  folded: FoldResult,
  names: NameBook,
  isWritten: (job: StoredJob) => boolean
): Promise<void> {
  const long = (text: string | null) =>
    text === null ? null : storableText(text, session.longestText)
  const short = (text: string | null) => (text === null ? null : storableShort(text))

  await writeBodies(
    session,
    folded.bodies.filter(({ job }) => isWritten(job)),
    long
  )

  const attempts: unknown[][] = []
  for (const attempt of folded.attempts) {
    if (!isWritten(attempt.job)) continue
    attempts.push([
      attempt.job.seq,
      storableNumber(attempt.run, 32),
      storableNumber(attempt.attempt, 32),
      ATTEMPT_OUTCOMES.indexOf(attempt.outcome),
      attempt.worker === null ? null : names.id('worker', attempt.worker),
      storableNumber(attempt.startedAt),
      storableNumber(attempt.finishedAt),
      short(attempt.errorCode),
      long(attempt.error),
      long(attempt.stack),
    ])
  }
  if (attempts.length > 0) await session.put(ATTEMPTS, attempts)

  const runs: unknown[][] = []
  for (const { job, run, status, startedAt, finishedAt, errorCode, error } of folded.runs ?? []) {
    if (!isWritten(job)) continue
    const moments = [storableNumber(startedAt), storableNumber(finishedAt)]
    runs.push([job.seq, run, statusCode(status), ...moments, short(errorCode), long(error)])
  }
  if (runs.length > 0) await session.put(RUNS, runs)

  const events: unknown[][] = []
  for (const { job, version, list } of folded.events) {
    if (isWritten(job)) events.push([job.seq, version, long(JSON.stringify(list))])
  }
  if (events.length > 0) await session.put(EVENTS, events)

  const lines: unknown[][] = []
  for (const { job, version, run, attempt, lines: written } of folded.logs) {
    if (!isWritten(job)) continue
    written.forEach(([at, level, line], n) => {
      const number = storableNumber(level, 32) ?? 30
      lines.push([
        job.seq,
        version,
        n,
        run,
        attempt,
        storableNumber(at) ?? 0,
        Math.max(0, Math.min(100, number)),
        long(line),
      ])
    })
  }
  if (lines.length > 0) await session.put(LOGS, lines)
}

async function writeBodies(
  session: Session,
  bodies: BodyWrite[],
  long: (text: string | null) => string | null
): Promise<void> {
  const sets = new Map<number, unknown[][]>()
  for (const body of bodies) {
    let set = 0
    const row: unknown[] = [body.job.seq]
    BODY_KEYS.forEach((key, index) => {
      const text = body[key]
      if (text === undefined) return
      set |= 1 << index
      row.push(long(text))
    })
    if (set === 0) continue
    const rows = sets.get(set)
    if (rows) rows.push(row)
    else sets.set(set, [row])
  }
  for (const [set, rows] of sets) await session.put(BODIES[set], rows)
}
