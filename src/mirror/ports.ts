import type { Redis } from 'ioredis'
import type { OpenJob, OpenPage } from '../records/writer/open_jobs.ts'
import type { Batch, Cursor, Fold, JobKey } from '../records/writer_types.ts'
import type { JobStatus } from '../statuses.ts'
import type { Transport } from '../transport/transport.ts'

/**
 * What a comparison with Redis looks at.
 */
export type RecordState = {
  status: JobStatus
  run: number
  /** Attempts started in this run. */
  attempts: number
  stopping: boolean
  hasPayload: boolean
  /** False: as far as the record knows, Redis holds the job no more. */
  hasTransport: boolean
}

/**
 * What the mirror needs of the records. Each method throws when the database is away; nothing was written then.
 */
export interface MirrorWriter {
  /** One transaction; false when a cursor was not where the batch says: see src/records/writer_types.ts. */
  apply(batch: Batch, fold: Fold): Promise<boolean>

  /** Cursors of these queues; one that is missing is made, at `0-0`. */
  cursors(queues: string[]): Promise<Map<string, Cursor>>

  /** Records of a queue that Redis may still change, oldest first, after one of them. */
  openJobs(queue: string, page: OpenPage): Promise<OpenJob[]>

  /** By the id of the key; jobs without a record are absent. */
  states(keys: JobKey[]): Promise<Map<string, RecordState>>

  /** Notes that Redis no longer holds these jobs, where their records are terminal. */
  markGone(keys: JobKey[]): Promise<void>

  /** Called inside a transaction, for tests that kill: 1 cursors moved, 2 folded, 3 jobs written, 4 before and 5 after the commit. */
  hook?: (point: 1 | 2 | 3 | 4 | 5) => void
}

export interface MirrorLogger {
  debug(bindings: object, message: string): void
  info(bindings: object, message: string): void
  warn(bindings: object, message: string): void
  error(bindings: object, message: string): void
}

/**
 * Everything a mirror is made of.
 */
export type MirrorDependencies = {
  transport: Transport
  writer: MirrorWriter
  /** A connection of its own that waits for Redis and reconnects for ever. */
  redis: Redis
  logger: MirrorLogger
}
