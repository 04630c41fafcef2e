import type { BackendFactory, RedisQueueBackend } from 'bullmq'
import type { LogSink } from '../jobs/job_context.ts'
import type { Clock } from '../time/long_timer.ts'
import type { ScheduleMark } from '../schedule_types.ts'
import type { ScheduleVerdict } from '../transport/scheduled_jobs.ts'
import type { Checkpoints } from '../transport/checkpoints.ts'
import type { Report } from '../transport/types.ts'
import type { CancelRequest } from './claim.ts'
import type { Execution } from './execution.ts'
import type { Isolation } from './isolation/isolation.ts'
import type { RedisTrouble } from './redis_trouble.ts'
import type { SendWindow } from './send_window.ts'
import type { Slots } from './slots.ts'

/**
 * What all queues of one worker process have in common. Durations in milliseconds.
 */
export type WorkerRuntime = {
  /** `<host>:<pid>:<random>`: who runs a job, in Redis and in its record. */
  workerId: string
  /** An ioredis client that waits and reconnects for ever. */
  connection: object
  prefix: string
  backendFactory: BackendFactory<RedisQueueBackend>
  slots: Slots
  sendWindow: SendWindow
  execution: Execution
  isolation: Isolation
  clock: Clock
  logger: LogSink
  trouble: RedisTrouble
  grace: number
  lease: number
  maxLosses: number
  /** Whether the configuration limits anything: then nothing is claimed while Redis knows no limits. */
  limited: boolean

  /** Takes note of the moment of the clock by which a running job has to end. */
  watch(deadline: number): void

  /** The request to cancel a running job; null while there is none. */
  cancelRequest(queue: string, jobId: string): Promise<CancelRequest | null>

  /** What becomes of a schedule's job that is about to run. */
  startScheduled(queue: string, jobId: string, mark: ScheduleMark): Promise<ScheduleVerdict>

  /** Writes progress and log lines of an attempt; false when Redis refused them. */
  report(queue: string, jobId: string, what: Report): Promise<boolean>

  /** What attempts keep for the next ones. */
  checkpoints: Pick<Checkpoints, 'keep' | 'read'>
}
