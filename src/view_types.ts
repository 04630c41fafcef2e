import type { JobStatus } from './statuses.ts'

/**
 * What came of a job that another one waited for. `result` of a completed one; `error` of one that failed, was cancelled or skipped
 * (`SKIPPED`). Not ended are only those that were restarted since.
 */
export type AwaitedResult<Result = unknown> = {
  jobId: string
  queue: string
  /** Null where neither Redis nor a record knows the job any more. */
  type: string | null
  status: JobStatus
  result: Result | null
  error: JobError | null
}

/**
 * What a running job reports. Percent 0 to 100; `done` and `total` count items named by `unit`.
 */
export type Progress = {
  percent: number
  stage?: string
  done?: number
  total?: number
  unit?: string
}

/**
 * Details of a progress report beside its percentage.
 */
export type ProgressDetails = Omit<Progress, 'percent'>

/**
 * An error as records keep it. `code` is stable (`TIMED_OUT`, `WORKER_LOST`, `PAYLOAD_INVALID`, ... or a code of the job's own).
 */
export type JobError = { code: string | null; message: string; stack?: string | null }

/**
 * Answer of an action on a job. `requested`: a running job was told to stop; it will end as cancelled.
 */
export type Outcome = 'done' | 'requested' | 'too_late' | 'refused'

/**
 * One job as lists, pages, JSON and commands show it. Moments are epoch milliseconds, durations milliseconds.
 */
export type JobView = {
  id: string
  queue: string
  type: string
  /** The id that BullMQ knows; differs from `id` for jobs of other producers only. */
  transportId: string
  status: JobStatus
  /** Cancelled, but its code has not returned yet. */
  stopping: boolean
  /** While `stopping`: its code went on although the grace period is over. */
  signalIgnored: boolean
  run: number
  /** Attempts started in this run, and how many it may take. */
  attempts: { started: number; max: number }
  priority: number
  user: string | null
  host: string | null
  /** Id of the worker that has or had it. */
  worker: string | null
  tags: string[]
  progress: Progress
  error: JobError | null
  createdAt: number
  /** When a scheduled job is due. */
  dueAt: number | null
  startedAt: number | null
  finishedAt: number | null
  /** Execution of the current or last attempt's run: finishedAt - startedAt; null while there is none. */
  duration: number | null
  sensitive: boolean
}

/**
 * One execution.
 */
export type AttemptView = {
  run: number
  attempt: number
  /** `handed back`: the worker drained; `lost`: the worker died. */
  outcome: 'running' | 'completed' | 'failed' | 'cancelled' | 'lost' | 'handed back'
  worker: string | null
  host: string | null
  startedAt: number | null
  finishedAt: number | null
  error: JobError | null
}

/**
 * One thing that happened to a job: a status change, a stage, a request.
 */
export type EventView = { at: number; run: number; attempt: number; kind: string; detail: unknown }

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export type LogLine = { at: number; run: number; attempt: number; level: LogLevel; line: string }

/**
 * One job with everything its page shows. Payload, options and result are JSON text, exactly as the transport had them.
 */
export type JobDetails = JobView & {
  payload: string | null
  options: string | null
  result: string | null
  attemptList: AttemptView[]
  events: EventView[]
  runs: {
    run: number
    status: JobStatus
    startedAt: number | null
    finishedAt: number | null
    error: JobError | null
  }[]
  /** What this run has kept for its next attempts: how many, their bytes, the newest by name and moment. Null: nothing. */
  checkpoints: { count: number; bytes: number; newest: string; at: number } | null
  /** True while Redis still holds the transport, as far as the record knows. */
  hasTransport: boolean
  /** Never less than before: tells which of two looks at a job is the later one, and nothing else. */
  moved: number
}

/**
 * One worker process as its heartbeat reports it, every 10 s.
 */
export type WorkerView = {
  id: string
  host: string
  pid: number
  version: string
  queues: string[]
  concurrency: number
  running: {
    id: string
    queue: string
    type: string
    startedAt: number
    /** Absent unless its code goes on although it was told to stop and the grace period is over. */
    signalIgnored?: boolean
  }[]
  /** Share of one core over the last period, 0 to n; on Linux with its processes for isolated jobs, as is the memory. */
  cpu: number
  cores: number
  /** Bytes resident, and the limit that applies (container or machine). */
  memory: { used: number; limit: number }
  /** 99th percentile of the event loop's delay in the last period, ms. */
  loopDelay: number
  startedAt: number
  /** Milliseconds since its last report, by Redis' clock. */
  age: number
  state: 'active' | 'quiet' | 'stopping' | 'suspect'
}
