import type { Redis } from 'ioredis'
import type { ChangeNotice } from '../types.ts'
import type { Batch, Cursor, Fold, JobKey } from '../records/writer_types.ts'
import type { JobStatus } from '../statuses.ts'

/**
 * What Redis says about one job at one position of its queue's event stream. `state` is BullMQ's (`completed`, `failed`,
 * `delayed`, `waiting-children`, `active`, `prioritized`, `waiting`), '' when Redis does not know the job.
 */
export type JobState = { state: string; attempts: number; run: number; cancelRequested: boolean }

/**
 * The same with the fields of the job's hash.
 */
export type JobFacts = { state: string; fields: Record<string, string | null> }

/**
 * An ended transport: `mark` changes when anything happens to it.
 */
export type EndedTransport = { id: string; mark: string; finishedAt: number; cancelled: boolean }

/**
 * What the mirror needs of the transport.
 */
export interface MirrorTransport {
  readonly prefix: string
  queueNames(): Promise<string[]>
  registerQueues(names: string[]): Promise<void>
  states(queue: string, ids: string[]): Promise<{ position: string; jobs: JobState[] }>
  facts(queue: string, ids: string[]): Promise<{ position: string; jobs: JobFacts[] }>
  ended(
    queue: string,
    set: 'completed' | 'failed',
    until: number,
    offset: number,
    count: number
  ): Promise<{ position: string; jobs: EndedTransport[] }>
  removeEnded(queue: string, set: 'completed' | 'failed', jobs: EndedTransport[]): Promise<number>
  /** Redis' clock, epoch milliseconds. */
  time(): Promise<number>
}

/**
 * What the mirror needs of the records. `apply` is one transaction; see src/records/writer_types.ts.
 */
export interface MirrorWriter {
  cursors(queues: string[]): Promise<Map<string, Cursor>>
  apply(batch: Batch, fold: Fold): Promise<boolean>
  openJobs(
    queue: string,
    page: { after?: number; limit: number }
  ): Promise<{ seq: number; id: string; transportId: string; status: JobStatus }[]>
  states(
    keys: JobKey[]
  ): Promise<
    Map<string, { status: JobStatus; run: number; attempts: number; stopping: boolean; hasPayload: boolean }>
  >
}

export interface MirrorLogger {
  debug(bindings: object, message: string): void
  info(bindings: object, message: string): void
  warn(bindings: object, message: string): void
  error(bindings: object, message: string): void
}

/**
 * Everything a mirror is made of. `redis` is a connection of its own that waits for Redis and reconnects for ever.
 */
export type MirrorDependencies = {
  transport: MirrorTransport
  writer: MirrorWriter
  redis: Redis
  logger: MirrorLogger
  publish(notice: Omit<ChangeNotice, 'revision'>): Promise<unknown>
  /** Queues to watch beside those that Redis knows. */
  queues: string[]
  kept: { completed: number; cancelled: number }
}
