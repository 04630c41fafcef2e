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
 * `until`: `finished` (the default) and `started` hold the key until the job has ended or begins to run, a duration for so long from
 * the dispatch, whatever becomes of the job.
 */
export type UniqueOptions = { key: string | number; until?: 'started' | 'finished' | Duration }
