import type { HttpContext } from '@adonisjs/core/http'
import type { AlertSettings, AlertsConfig } from './alert_types.ts'
import type { KeptClocks, KeptMetricsConfig } from './kept_clocks.ts'
import type { JobStatus } from './statuses.ts'

export type {
  AlertsConfig,
  AlertSettings,
  AlertView,
  AlertMute,
  AlertRuleConfig,
} from './alert_types.ts'
export type { AlertRule } from './alert_rules.ts'
export type { ChangeNotice } from './change_notice.ts'
export type { KeptClocks } from './kept_clocks.ts'
export type { JobStatus, TerminalStatus } from './statuses.ts'

/**
 * A duration as developers write it: a number of milliseconds or an expression such as `500ms`, `10m`, `72h`, `60d`.
 */
export type Duration = number | string

/**
 * How long to wait before the next attempt. `exponential` doubles `delay` with every failed attempt, up to `max`;
 * `jitter` (0 to 1) takes off a random share, so that jobs which failed together do not come back together.
 */
export type BackoffOptions = {
  type: 'exponential' | 'fixed'
  delay: Duration
  max?: Duration
  jitter?: number
}

/**
 * What a job class says about its type; each may be overridden at dispatch.
 */
export type JobOptions = {
  /** Registered name, e.g. `document_processing.parse`. Default: the class name in snake case. */
  name?: string
  /** Default queue: `default`. */
  queue?: string
  /** Executions within one run before it fails. Default 1. */
  attempts?: number
  backoff?: BackoffOptions | Duration
  /** Longest duration of one attempt. Default 72 hours. */
  timeout?: Duration
  /** 1 (first) to 2,097,151 (last); jobs without a priority come before all of them. */
  priority?: number
  tags?: string[]
  /** Payload, result and logs are shown as redacted everywhere. */
  sensitive?: boolean
  /**
   * Runs each execution in a process of its own that boots the application once: code that keeps the CPU busy cannot block the
   * worker there, and is killed when it ignores its signal. Default false.
   */
  isolated?: boolean
}

/**
 * What a dispatch may say beside its payload. `delay` and `at` exclude each other.
 */
export type DispatchOptions = {
  queue?: string
  priority?: number
  delay?: Duration
  at?: Date
  user?: string | number
  tags?: string[]
  attempts?: number
  backoff?: BackoffOptions | Duration
  timeout?: Duration
  sensitive?: boolean
  /** A caller's own id: a UUID. A dispatch with an id that exists already is refused. */
  jobId?: string
  /** One job of the type at a time has this key; a dispatch meanwhile gives that job instead of a new one. */
  unique?: UniqueOptions
  /** Jobs that have to end before this one may run: it is blocked until then. Delays count from their end. */
  waitFor?: AwaitedJob | readonly AwaitedJob[]
}

/**
 * A job that others wait for: its id, its handle, or with what becomes of who waits when it fails or is cancelled.
 */
export type AwaitedJob =
  string | { jobId: string; queue?: string | null; onFailure?: WaitForOptions['onFailure'] }

/**
 * What becomes of a waiting job when an awaited one fails or is cancelled, once all of them have ended. `cancel` (the default): it is
 * cancelled, and with it those that wait for it in this way. `run`: it runs all the same. `skip`: it ends without running, and those
 * that wait for it go on.
 */
export type WaitForOptions = { onFailure?: 'cancel' | 'run' | 'skip' }

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
 * `until`: `finished` (the default) and `started` hold the key until the job has ended or begins to run, a duration for so long from
 * the dispatch, whatever becomes of the job.
 */
export type UniqueOptions = { key: string | number; until?: 'started' | 'finished' | Duration }

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
 * Who asked for an action: shown on the job page and in the audit.
 */
export type Actor = {
  id: string
  name?: string
  via: 'page' | 'api' | 'command' | 'code'
  /** Id of the bulk operation that acts for them. */
  bulk?: string
}

/**
 * What the application may decide about access. Both are asked on every request and regularly on open streams; one that
 * throws counts as no. `manage` gets the job's queue and user where an action names one job.
 */
export type AccessCallbacks = {
  view?: (ctx: HttpContext) => boolean | Promise<boolean>
  manage?: (
    ctx: HttpContext,
    target?: { queue: string; user: string | null }
  ) => boolean | Promise<boolean>
  /** Who acts; default: the id of `ctx.auth.user`, else the remote address. */
  actor?: (
    ctx: HttpContext
  ) => { id: string; name?: string } | Promise<{ id: string; name?: string }>
}

/**
 * What `config/queuedeck.ts` may hold.
 */
export type QueuedeckConfig = {
  /** Name of the connection in config/redis.ts. Default: its default connection. */
  redis?: string
  /** Prefix of every key in Redis. It carries a hash tag, so that a cluster keeps all of them in one slot. Default `{queuedeck}`. */
  prefix?: string
  /** Name of the connection in config/database.ts that holds the records. Default: its default connection. */
  database?: string
  /** Queue of jobs that name none. Default `default`. */
  defaultQueue?: string
  /** Queues to watch beside those that dispatches name: filled by other producers, say. */
  queues?: string[]
  /** Largest payload, as JSON. A number of bytes or e.g. `1mb`. Default 1 MiB. */
  payloadLimit?: number | string
  /** Where job classes are found, below the application's root. Default `app/jobs`. */
  jobs?: string
  worker?: {
    /** Jobs at once in one worker process, over all its queues. Default 10. */
    concurrency?: number
    /** Default timeout of an attempt. Default `72h`. */
    timeout?: Duration
    /** How long a stopping worker or a cancelled job may take. Default `30s`. */
    grace?: Duration
    /** Length of the lease on a running job; a killed worker's job is recovered after about this long. Default `30s`. */
    lease?: Duration
    /** Losses of a worker after which its job fails with WORKER_LOST. Default 3. */
    maxLosses?: number
  }
  /** Jobs that run at once, over all processes. Whole numbers from 1; null is no limit. Can be changed at run time. */
  limits?: {
    /** Over all queues. Default 10. */
    global?: number | null
    /** Of each user; jobs without a user are exempt. Default 3. */
    user?: number | null
    /** Of single users, instead of `user`; null is no limit for him. */
    users?: Record<string, number | null>
    /** Of single job types. */
    types?: Record<string, number>
    /** Of single queues. */
    queues?: Record<string, number>
  }
  /** Whether worker and web processes mirror by themselves when no other process does. Default true. */
  mirror?: boolean
  /** How long things are kept. Nothing leaves Redis before its record is committed, and only what has ended goes at all. */
  kept?: {
    /** Completed transports in Redis. Default `24h`; never longer than their records. */
    completed?: Duration
    /** Cancelled transports in Redis. Default `2h`; never longer than their records. */
    cancelled?: Duration
    /** Failed transports in Redis. Default 0: they go as soon as their record is committed. */
    failed?: Duration
    /** All of these at the start: ended transports older than this go then. Default `1h`. */
    atStart?: Duration
    /** Results in Redis after the end; records keep them. Default `500s`. */
    results?: Duration
    /** Locks and claims in Redis that nobody holds any more. Default `10m`. */
    claims?: Duration
    /** Records, from the job's end on; null keeps them for ever. */
    records?: {
      /** Default `30d`. */
      completed?: Duration | null
      /** Default `90d`. */
      failed?: Duration | null
      /** Default `90d`. */
      cancelled?: Duration | null
    }
    /** Log lines and progress history of records that are kept longer, from the job's end on. Default `30d`; null: as long. */
    details?: Duration | null
    /** The list of cleanups. Default `90d`. */
    cleanups?: Duration
    /** Alerts that are over. Default `90d`. */
    alerts?: Duration
    /** Who did what: the audit, and results of bulk operations. Default `365d`; null keeps it for ever. */
    audit?: Duration | null
    /** What happened per minute and per hour. */
    metrics?: KeptMetricsConfig
  }
  cleanup?: {
    /** Pause from the beginning of one cleanup to the next. Default `10m`. */
    every?: Duration
    /** Whether worker, web and mirror processes clean up by themselves. Default true; else only `queue:cleanup` does. */
    automatic?: boolean
  }
  /** When to raise alerts, and whom to tell. */
  alerts?: AlertsConfig
  dashboard?: {
    /** Default `/admin/queue`. */
    prefix?: string
    access?: AccessCallbacks
    /** Keys whose values are shown as redacted, at any depth; compared without case, `-` and `_`. Added to a list of our own. */
    redact?: string[]
  }
}

/**
 * Limits as the configuration gives them: whole numbers from 1, null for none.
 */
export type LimitSettings = {
  global: number | null
  user: number | null
  users: Record<string, number | null>
  types: Record<string, number>
  queues: Record<string, number>
}

/**
 * The configuration with every default filled in and every duration in milliseconds.
 */
export type ResolvedConfig = {
  redis: string | undefined
  prefix: string
  database: string | undefined
  defaultQueue: string
  queues: string[]
  payloadLimit: number
  jobs: string
  worker: { concurrency: number; timeout: number; grace: number; lease: number; maxLosses: number }
  limits: LimitSettings
  mirror: boolean
  kept: KeptClocks
  cleanup: { every: number; automatic: boolean }
  alerts: AlertSettings
  dashboard: { prefix: string; access: AccessCallbacks; redact: string[] }
}

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
