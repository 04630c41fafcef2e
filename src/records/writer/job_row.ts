import { STATUSES, statusCode, type JobStatus } from '../../statuses.ts'
import {
  storable,
  storableCreation,
  storableError,
  storableNumber,
  storableShort,
} from '../storable.ts'
import type { Column } from '../columns.ts'
import { COMPLETED_PROGRESS, JOB_COLUMNS, SIGNAL_IGNORED, type StoredNameKind } from '../tables.ts'
import type { JobKey, StoredJob } from '../writer_types.ts'
import type { NameBook } from './name_book.ts'

/**
 * A record in a transaction: as fold sees it, and as it is stored.
 */
export type LoadedJob = StoredJob & {
  readonly before: unknown[] | null
  /** Version of the stored row; 0n when there is none. */
  readonly wasVersion: bigint
  /** As this transaction writes it; null until then. */
  row: unknown[] | null
}

/** A record that nothing is known of yet. */
export function blankJob({ queue, transportId, id }: JobKey): LoadedJob {
  return {
    before: null,
    wasVersion: 0n,
    row: null,
    seq: 0,
    was: null,
    wasRun: 1,
    wasAttempts: 0,
    id,
    queue,
    transportId,
    type: '',
    status: null,
    stopping: false,
    signalIgnored: false,
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
 * A stored record, from its row; the names of its numbers have been loaded.
 */
export function loadJob(key: JobKey, row: unknown[], names: NameBook): LoadedJob {
  const status = STATUSES[row[AT.status] as number]
  const number = (place: number) => row[place] as number
  const moment = (place: number) => row[place] as number | null
  const word = (place: number) => row[place] as string | null
  const name = (place: number) => (row[place] === null ? null : names.name(number(place)))
  const progress = number(AT.progress)
  const version = BigInt(row[AT.version] as string)
  return {
    before: row,
    wasVersion: version,
    row: null,
    seq: number(AT.seq),
    was: status,
    wasRun: number(AT.run),
    wasAttempts: number(AT.attempts),
    id: key.id,
    queue: key.queue,
    transportId: key.transportId,
    type: names.name(number(AT.type)),
    status,
    stopping: number(AT.stopping) > 0,
    signalIgnored: row[AT.stopping] === SIGNAL_IGNORED,
    run: number(AT.run),
    attempts: number(AT.attempts),
    maxAttempts: number(AT.maxAttempts),
    priority: number(AT.priority),
    user: name(AT.user),
    worker: name(AT.worker),
    sensitive: row[AT.sensitive] === 1,
    percent: progress >= COMPLETED_PROGRESS ? 100 : progress / 10,
    stage: word(AT.stage),
    done: moment(AT.done),
    total: moment(AT.total),
    unit: word(AT.unit),
    errorCode: word(AT.errorCode),
    error: word(AT.error),
    createdAt: number(AT.createdAt),
    dueAt: moment(AT.dueAt),
    startedAt: moment(AT.startedAt),
    finishedAt: moment(AT.finishedAt),
    cancelAt: moment(AT.cancelAt),
    version,
    hasTransport: row[AT.hasTransport] === 1,
    hasPayload: row[AT.hasPayload] === 1,
  }
}

/** Names that a row of this record refers to. */
export function namesOf(job: StoredJob, want: (kind: StoredNameKind, name: string) => void): void {
  want('type', job.type)
  want('queue', job.queue)
  if (job.user !== null) want('user', job.user)
  if (job.worker !== null) want('worker', job.worker)
}

/**
 * All columns of jobs, in their order. `tagged` is settled by the caller.
 */
export function rowOf(job: LoadedJob, names: NameBook, id: unknown, tagged: number): unknown[] {
  const status = job.status as JobStatus
  const { startedAt, finishedAt, worker, before } = job
  const ended = startedAt !== null && finishedAt !== null
  return [
    job.seq,
    id,
    names.id('queue', job.queue),
    names.id('type', job.type),
    job.user === null ? null : names.id('user', job.user),
    // A run that has not begun keeps nobody's name; the host of the last worker stays with it.
    worker === null ? null : names.hostId(worker),
    worker === null ? null : names.id('worker', worker),
    statusCode(status),
    status === 'completed' ? COMPLETED_PROGRESS : tenths(job.percent),
    ended ? storableNumber(Math.max(0, finishedAt - startedAt)) : -1,
    storableCreation(job.createdAt),
    storableNumber(job.dueAt),
    storableNumber(startedAt),
    storableNumber(finishedAt),
    storableNumber(job.cancelAt),
    storableNumber(job.run, 32) ?? 1,
    storableNumber(job.attempts, 32) ?? 0,
    storableNumber(job.maxAttempts, 32) ?? 1,
    storableNumber(job.priority, 32) ?? 0,
    job.stopping && job.signalIgnored ? SIGNAL_IGNORED : Number(job.stopping),
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
    before && job.error === before[AT.error] ? job.error : text(job.error, storableError),
    job.transportId === job.id ? null : text(job.transportId, storable),
    job.version,
  ]
}

function text(value: string | null, store: (text: string) => string): string | null {
  return value === null ? null : store(value)
}

function tenths(percent: number): number {
  return Number.isFinite(percent) ? Math.max(0, Math.min(1000, Math.round(percent * 10))) : 0
}

const place = (column: string) => JOB_COLUMNS.findIndex(({ name }) => name === column)

/** Columns by place, for whoever looks into rows. */
export const AT = {
  seq: place('seq'),
  queue: place('queue_id'),
  type: place('type_id'),
  user: place('user_id'),
  host: place('host_id'),
  worker: place('worker_id'),
  status: place('status'),
  progress: place('progress'),
  createdAt: place('created_at'),
  dueAt: place('due_at'),
  startedAt: place('started_at'),
  finishedAt: place('finished_at'),
  cancelAt: place('cancel_at'),
  run: place('run'),
  attempts: place('attempts'),
  maxAttempts: place('max_attempts'),
  priority: place('priority'),
  stopping: place('stopping'),
  sensitive: place('is_sensitive'),
  tagged: place('tagged'),
  hasTransport: place('has_transport'),
  hasPayload: place('has_payload'),
  done: place('done'),
  total: place('total'),
  unit: place('unit'),
  stage: place('stage'),
  errorCode: place('error_code'),
  error: place('error'),
  transportId: place('transport_id'),
  version: place('version'),
} as const

/** Value that a row has where none is given; `undefined` where one must be. */
const DEFAULTS: unknown[] = JOB_COLUMNS.map(
  (column: Column) => column.default ?? (column.null ? null : undefined)
)

/** Columns as bits by place: fewer than 31, as numbers hold them, beside seq and id. */
const SHIFT = 2

/**
 * Which columns differ from the stored row; seq and id never do.
 */
export function changedBits({ version, wasVersion }: LoadedJob, before: unknown[], row: unknown[]) {
  let bits = version === wasVersion ? 0 : 1 << (AT.version - SHIFT)
  for (let index = SHIFT; index < AT.version; index++) {
    if (before[index] !== row[index]) bits |= 1 << (index - SHIFT)
  }
  return bits
}

/**
 * Which columns have another value than their default.
 */
export function givenBits(row: unknown[]): number {
  let bits = 0
  for (let index = SHIFT; index < row.length; index++) {
    if (row[index] !== DEFAULTS[index]) bits |= 1 << (index - SHIFT)
  }
  return bits
}

/**
 * Places of the columns whose bits are set.
 */
export function columnsOf(bits: number): number[] {
  const columns: number[] = []
  for (let index = SHIFT; index < JOB_COLUMNS.length; index++) {
    if (bits & (1 << (index - SHIFT))) columns.push(index)
  }
  return columns
}
