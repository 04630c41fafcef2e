import type { HttpContext } from '@adonisjs/core/http'
import type { AlertSettings, AlertsConfig } from './alert_types.ts'
import type { Duration } from './dispatch_types.ts'
import type { KeptClocks, KeptMetricsConfig } from './kept_clocks.ts'

export type {
  AlertsConfig,
  AlertSettings,
  AlertView,
  AlertMute,
  AlertRuleConfig,
} from './alert_types.ts'
export type { AlertRule } from './alert_rules.ts'
export type { ChangeNotice } from './change_notice.ts'
export type {
  Duration,
  BackoffOptions,
  JobOptions,
  DispatchOptions,
  AwaitedJob,
  WaitForOptions,
  UniqueOptions,
} from './dispatch_types.ts'
export type { KeptClocks } from './kept_clocks.ts'
export type { JobStatus, TerminalStatus } from './statuses.ts'
export type {
  AwaitedResult,
  Progress,
  ProgressDetails,
  JobError,
  Outcome,
  JobView,
  AttemptView,
  EventView,
  LogLevel,
  LogLine,
  JobDetails,
  WorkerView,
} from './view_types.ts'

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
    /**
     * What a proxy in front cuts off the beginning of addresses: `/tools` where browsers ask for `/tools/admin/queue` and the application
     * gets `/admin/queue`. All links, forms, streams and redirects then begin with it. Default nothing.
     */
    proxyPrefix?: string
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
  dashboard: { prefix: string; proxyPrefix: string; access: AccessCallbacks; redact: string[] }
}
