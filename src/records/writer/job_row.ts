import { STATUSES, statusCode, type JobStatus } from '../../statuses.ts'
import type { Row } from '../dialect/db.ts'
import type { Session } from '../dialect/session.ts'
import { storableError, storableNumber, storableShort, storable } from '../storable.ts'
import { COMPLETED_PROGRESS, JOB_COLUMNS, type StoredNameKind } from '../tables.ts'
import type { JobKey, StoredJob } from '../writer_types.ts'
import type { NameBook } from './name_book.ts'

/**
 * A record in a transaction: as fold sees it, and as it is stored.
 */
export type LoadedJob = StoredJob & { readonly before: unknown[] | null }

/** Columns of jobs as a select names them; `version` exact. */
export function selectColumns(session: Session): string {
  return JOB_COLUMNS.map(({ name }) => (name === 'version' ? session.versionText : name)).join(', ')
}

/** A record that nothing is known of yet. */
export function blankJob({ queue, transportId, id }: JobKey): LoadedJob {
  return {
    before: null,
    seq: 0,
    was: null,
    id,
    queue,
    transportId,
    type: '',
    status: null,
    stopping: false,
    run: 1,
    attempts: 0,
    maxAttempts: 1,
    priority: 0,
    user: null,
    worker: null,
    sensitive: false,
    percent: 0,
    stage: null,
    done: null,
    total: null,
    unit: null,
    errorCode: null,
    error: null,
    createdAt: 0,
    dueAt: null,
    startedAt: null,
    finishedAt: null,
    cancelAt: null,
    version: 0n,
    hasTransport: true,
    hasPayload: false,
  }
}

/**
 * A stored record; the names of its numbers have been loaded.
 */
export function loadJob(key: JobKey, row: Row, names: NameBook): LoadedJob {
  const status = STATUSES[row.status]
  return {
    before: JOB_COLUMNS.map(({ name }) => row[name]),
    seq: row.seq,
    was: status,
    id: key.id,
    queue: key.queue,
    transportId: key.transportId,
    type: names.name(row.type_id),
    status,
    stopping: row.stopping === 1,
    run: row.run,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    priority: row.priority,
    user: row.user_id === null ? null : names.name(row.user_id),
    worker: row.worker_id === null ? null : names.name(row.worker_id),
    sensitive: row.is_sensitive === 1,
    percent: row.progress >= COMPLETED_PROGRESS ? 100 : row.progress / 10,
    stage: row.stage,
    done: row.done,
    total: row.total,
    unit: row.unit,
    errorCode: row.error_code,
    error: row.error,
    createdAt: row.created_at,
    dueAt: row.due_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    cancelAt: row.cancel_at,
    version: BigInt(row.version),
    hasTransport: row.has_transport === 1,
    hasPayload: row.has_payload === 1,
  }
}

/** Names that a row of this record refers to. */
export function namesOf(job: StoredJob, want: (kind: StoredNameKind, name: string) => void): void {
  want('type', job.type)
  want('queue', job.queue)
  if (job.user !== null) want('user', job.user)
  if (job.worker === null) return
  want('worker', job.worker)
  want('host', hostOf(job.worker))
}

/** Host of a worker id: `<host>:<pid>:<random>`. */
export function hostOf(worker: string): string {
  const parts = worker.split(':')
  return (parts.length > 2 ? parts.slice(0, -2).join(':') : worker) || '?'
}

/**
 * All columns of jobs, in their order. `tagged` is settled by the caller.
 */
export function rowOf(job: LoadedJob, names: NameBook, id: unknown, tagged: number): unknown[] {
  const status = job.status as JobStatus
  const { startedAt, finishedAt, worker, before } = job
  const ended = startedAt !== null && finishedAt !== null
  const text = (value: string | null, store: (text: string) => string) =>
    value === null ? null : store(value)
  return [
    job.seq,
    id,
    names.id('queue', job.queue),
    names.id('type', job.type),
    job.user === null ? null : names.id('user', job.user),
    // A run that has not begun keeps nobody's name; the host of the last worker stays with it.
    worker === null ? null : names.id('host', hostOf(worker)),
    worker === null ? null : names.id('worker', worker),
    statusCode(status),
    status === 'completed' ? COMPLETED_PROGRESS : tenths(job.percent),
    ended ? storableNumber(Math.max(0, finishedAt - startedAt)) : -1,
    storableNumber(job.createdAt) ?? 0,
    storableNumber(job.dueAt),
    storableNumber(startedAt),
    storableNumber(finishedAt),
    storableNumber(job.cancelAt),
    storableNumber(job.run, 32) ?? 1,
    storableNumber(job.attempts, 32) ?? 0,
    storableNumber(job.maxAttempts, 32) ?? 1,
    storableNumber(job.priority, 32) ?? 0,
    Number(job.stopping),
    Number(job.sensitive),
    tagged,
    Number(job.hasTransport),
    Number(job.hasPayload),
    storableNumber(job.done),
    storableNumber(job.total),
    text(job.unit, storableShort),
    text(job.stage, storableShort),
    text(job.errorCode, storableShort),
    // An error as it was loaded has been cut already.
    before && job.error === before[ERROR] ? job.error : text(job.error, storableError),
    job.transportId === job.id ? null : text(job.transportId, storable),
    job.version,
  ]
}

function tenths(percent: number): number {
  return Number.isFinite(percent) ? Math.max(0, Math.min(1000, Math.round(percent * 10))) : 0
}

const place = (column: string) => JOB_COLUMNS.findIndex(({ name }) => name === column)

const ERROR = place('error')
const VERSION = place('version')

/** Columns by place, for whoever looks into rows. */
export const AT = {
  seq: place('seq'),
  queue: place('queue_id'),
  type: place('type_id'),
  user: place('user_id'),
  host: place('host_id'),
  status: place('status'),
  createdAt: place('created_at'),
  tagged: place('tagged'),
}

/** Which columns differ, as bits by place; seq and id never do. */
export function changedBits(before: unknown[], row: unknown[]): bigint {
  let bits = 0n
  for (let index = 2; index < row.length; index++) {
    const isSame =
      index === VERSION
        ? String(before[index]) === String(row[index])
        : before[index] === row[index]
    if (!isSame) bits |= 1n << BigInt(index)
  }
  return bits
}
