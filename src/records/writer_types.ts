import type { JobStatus } from '../statuses.ts'
import type { AttemptView } from '../types.ts'
import type { Measure } from './metrics/metric_types.ts'

/**
 * Names a job towards the writer. `id` is the record's id (`recordId()` of ids.ts): the job's UUID, for a foreign job
 * the version 5 UUID of its queue and transport id.
 */
export type JobKey = { queue: string; transportId: string; id: string }

/**
 * How far a queue's event stream has been written into records.
 */
export type Cursor = {
  queue: string
  /** Id of the last stream entry that records contain; `0-0` for none. */
  lastId: string
  /** Milliseconds added to stream ids, so that versions keep growing after Redis handed out smaller ids. */
  skew: number
  /** `run_id` of the Redis server that gave `lastId`; null before the first batch. */
  server: string | null
  /** The mirror's own notes beside the position (an open reconcile, say), as JSON text; moves with the cursor. Null: none. */
  notes: string | null
}

/**
 * Moves one cursor, if nobody has moved it since it was read: `from` must still stand in the table. `next` may equal
 * `from` (a repair): then it only takes the lock that all writers of a queue share.
 */
export type CursorMove = {
  queue: string
  from: { lastId: string; skew: number }
  next: { lastId: string; skew: number; server: string | null; notes: string | null }
}

/**
 * One record as folding sees and changes it. The writer hands in one per key of the batch: as stored, or blank
 * (`seq` 0, `status` null) for a job that no record knows. Moments are epoch milliseconds.
 *
 * The writer derives by itself: duration, the sort key of progress, counters, cube and the tags' status. Texts may hold
 * anything: NUL, half surrogates and over-long names are made storable here.
 */
export type StoredJob = {
  /** Key in SQL; 0 until the record exists. Belongs to the writer. */
  seq: number
  /** Status before this batch; belongs to the writer. */
  readonly was: JobStatus | null
  /** Run and attempts before this batch; belong to the writer. */
  readonly wasRun: number
  readonly wasAttempts: number
  readonly id: string
  readonly queue: string
  readonly transportId: string
  /** '' only while blank; a job whose type is not known gets `?`. May be set later, when it becomes known. */
  type: string
  status: JobStatus | null
  /** Cancelled, but its code has not returned. */
  stopping: boolean
  /** While `stopping`: its code has ignored its signal for longer than the grace period. */
  signalIgnored: boolean
  run: number
  /** Attempts started in this run. */
  attempts: number
  maxAttempts: number
  priority: number
  user: string | null
  /** Worker id `<host>:<pid>:<random>`; the host is taken from it. */
  worker: string | null
  sensitive: boolean
  /** 0 to 100; one decimal is kept. Shown as 100 once completed. */
  percent: number
  stage: string | null
  done: number | null
  total: number | null
  unit: string | null
  errorCode: string | null
  /** Message; lists keep its first 500 letters, the attempt has the whole. */
  error: string | null
  createdAt: number
  dueAt: number | null
  startedAt: number | null
  finishedAt: number | null
  /** When cancellation was asked for in this run. */
  cancelAt: number | null
  /** The entry up to which this record is true: (ms + skew) << 20 | sequence. 0n when blank. */
  version: bigint
  /** Whether Redis still has the transport, as far as the record knows. Blank: true. */
  hasTransport: boolean
  /** Whether a payload has been stored. False: the record began in the middle, the mirror should fetch it. */
  hasPayload: boolean
}

/**
 * What folding gives back. Everything that belongs to a job carries the job itself, as handed in.
 */
export type FoldResult = {
  /** Records that changed or are new. One that is not listed is not written, and neither are its rows below. */
  jobs: StoredJob[]
  /** At most one a job. A key that is absent leaves the stored value; null empties it. */
  bodies: BodyWrite[]
  /** Any order; the same (job, run, attempt) may come again later and is merged: moments, worker, error and stack stay unless given, a final outcome never goes back to `running`. At most one each a batch. */
  attempts: AttemptWrite[]
  /** At most one a job: everything that happened to it in this batch. */
  events: EventsWrite[]
  logs: LogsWrite[]
  /** Tags of a job, set once: normally with its `added` entry. */
  tags: TagsWrite[]
  /** Runs that a restart closed, as they ended; key (job, run), written once. Absent: none. */
  runs?: RunWrite[]
  /** What jobs wait for; what is known already is left alone. Absent: none. */
  edges?: EdgesWrite[]
  /** What jobs have kept for their next attempts; at most one a job, which takes the place of the one before. Absent: none. */
  checkpoints?: CheckpointsWrite[]
  /** What is counted in metrics. Absent: nothing. */
  measures?: Measure[]
}

/** An earlier run, kept when the next one opens: the record itself shows the current run only. */
export type RunWrite = {
  job: StoredJob
  run: number
  status: JobStatus
  startedAt: number | null
  finishedAt: number | null
  errorCode: string | null
  error: string | null
}

/** Jobs that a job waits for, by the ids of their records. */
export type EdgesWrite = {
  job: StoredJob
  edges: { id: string; onFailure: 'cancel' | 'run' | 'skip' }[]
}

/** Checkpoints of a job's current run in short. */
export type CheckpointsWrite = {
  job: StoredJob
  run: number
  count: number
  bytes: number
  newest: string
  at: number
}

export type BodyWrite = {
  job: StoredJob
  payload?: string | null
  options?: string | null
  result?: string | null
}

export type AttemptWrite = {
  job: StoredJob
  run: number
  attempt: number
  outcome: AttemptView['outcome']
  worker: string | null
  startedAt: number | null
  finishedAt: number | null
  errorCode: string | null
  error: string | null
  stack: string | null
}

/** One change: moment, run, attempt, kind, detail (anything that JSON can hold; null for none). */
export type EventTuple = [at: number, run: number, attempt: number, kind: string, detail: unknown]

/**
 * Packed into one row, since a job's page is the only reader. `version` is that of the first entry, the key that makes
 * writing it again harmless.
 */
export type EventsWrite = { job: StoredJob; version: bigint; list: EventTuple[] }

/** Lines of one `log` entry: moment, pino level (10 to 60), text. */
export type LogsWrite = {
  job: StoredJob
  version: bigint
  run: number
  attempt: number
  lines: [at: number, level: number, line: string][]
}

export type TagsWrite = { job: StoredJob; tags: string[] }

/**
 * Decides inside the transaction, with the rows as they are stored: `stored[i]` belongs to `jobs[i]`. Gives its result in parts, each with all
 * that belongs to its jobs: one is written while the next is folded.
 */
export type Fold = (stored: StoredJob[]) => Iterable<FoldResult>

export type Batch = {
  /** Cursors that this batch moves; taken in the order of queue names, so that two mirrors never deadlock. */
  cursors: CursorMove[]
  /** Distinct jobs of those queues. */
  jobs: JobKey[]
  /**
   * While the mirror keeps up, a part is folded only when the one before is written: slower, but this process and the database's keep one
   * processor busy and not two. Beside PostgreSQL and MariaDB a worker gets through 6 % more jobs of 5 ms, 50 at once.
   */
  isUnhurried?: boolean
}
