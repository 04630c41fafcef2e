import { statusCode } from '../../statuses.ts'
import type { Session, Shape } from '../dialect/session.ts'
import { storableNumber, storableShort, storableText } from '../storable.ts'
import { ATTEMPT_OUTCOMES, BODY_COLUMNS, EDGE_POLICIES, TABLES } from '../tables.ts'
import type { BodyWrite, FoldResult, StoredJob } from '../writer_types.ts'
import { addEventRows } from './event_rows.ts'
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

/** The same without errors, which few attempts have. */
const PLAIN_ATTEMPTS: Shape = {
  table: TABLES.attempts,
  columns: TABLES.attempts.columns.slice(0, 7),
  existing: { started_at: 'fill', worker_id: 'fill', finished_at: 'given', outcome: 'outcome' },
}

const EVENTS: Shape = { table: TABLES.events, columns: TABLES.events.columns, existing: 'ignore' }
const LOGS: Shape = { table: TABLES.logs, columns: TABLES.logs.columns, existing: 'ignore' }
const EDGES: Shape = { table: TABLES.edges, columns: TABLES.edges.columns, existing: 'ignore' }
const RUNS: Shape = { table: TABLES.runs, columns: TABLES.runs.columns, existing: 'ignore' }

const CHECKPOINTS: Shape = {
  table: TABLES.checkpoints,
  columns: TABLES.checkpoints.columns,
  existing: {
    run: 'replace',
    count: 'replace',
    bytes: 'replace',
    newest: 'replace',
    at: 'replace',
  },
}

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
 * Sends what belongs to records: bodies, attempts, earlier runs, events and log lines. Only of those that `isWritten`.
 */
export function sendDetails(
  session: Session,
  send: (statement: Promise<unknown>) => void,
  folded: FoldResult,
  names: NameBook,
  isWritten: (job: StoredJob) => boolean
): void {
  const put = (shape: Shape, rows: unknown[][]) => {
    if (rows.length > 0) send(session.put(shape, rows))
  }
  const long = (text: string | null) =>
    text === null ? null : storableText(text, session.longestText)

  for (const [set, rows] of bodyRows(folded.bodies, isWritten, long)) put(BODIES[set], rows)

  const plain: unknown[][] = []
  const failed: unknown[][] = []
  for (const attempt of folded.attempts) {
    if (!isWritten(attempt.job)) continue
    const { errorCode, error, stack } = attempt
    const row = [
      attempt.job.seq,
      storableNumber(attempt.run, 32),
      storableNumber(attempt.attempt, 32),
      ATTEMPT_OUTCOMES.indexOf(attempt.outcome),
      attempt.worker === null ? null : names.id('worker', attempt.worker),
      storableNumber(attempt.startedAt),
      storableNumber(attempt.finishedAt),
    ]
    if (errorCode === null && error === null && stack === null) plain.push(row)
    else failed.push([...row, short(errorCode), long(error), long(stack)])
  }
  put(PLAIN_ATTEMPTS, plain)
  put(ATTEMPTS, failed)

  const runs: unknown[][] = []
  for (const { job, run, status, startedAt, finishedAt, errorCode, error } of folded.runs ?? []) {
    if (!isWritten(job)) continue
    const moments = [storableNumber(startedAt), storableNumber(finishedAt)]
    runs.push([job.seq, run, statusCode(status), ...moments, short(errorCode), long(error)])
  }
  put(RUNS, runs)

  const edges: unknown[][] = []
  for (const { job, edges: list } of folded.edges ?? []) {
    if (!isWritten(job)) continue
    for (const { id, onFailure } of list) {
      edges.push([job.seq, session.idValue(id), EDGE_POLICIES.indexOf(onFailure)])
    }
  }
  put(EDGES, edges)

  const checkpoints: unknown[][] = []
  for (const { job, run, count, bytes, newest, at } of folded.checkpoints ?? []) {
    if (isWritten(job)) checkpoints.push([job.seq, run, count, bytes, short(newest), at])
  }
  put(CHECKPOINTS, checkpoints)

  const events: Parameters<typeof addEventRows>[0] = []
  for (const { job, version, list } of folded.events) {
    if (isWritten(job)) addEventRows(events, job.seq, version, list)
  }
  put(EVENTS, events)

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
  put(LOGS, lines)
}

function short(text: string | null): string | null {
  return text === null ? null : storableShort(text)
}

/** Rows by the set of keys that they bring. */
function bodyRows(
  bodies: BodyWrite[],
  isWritten: (job: StoredJob) => boolean,
  long: (text: string | null) => string | null
): Map<number, unknown[][]> {
  const sets = new Map<number, unknown[][]>()
  for (const body of bodies) {
    if (!isWritten(body.job)) continue
    let set = 0
    const row: unknown[] = [body.job.seq]
    let bit = 1
    for (const key of BODY_KEYS) {
      const text = body[key]
      if (text !== undefined) {
        set |= bit
        row.push(long(text))
      }
      bit <<= 1
    }
    if (set === 0) continue
    const rows = sets.get(set)
    if (rows) rows.push(row)
    else sets.set(set, [row])
  }
  return sets
}
