import type { AwaitedResult, LogLevel, Progress } from '../types.ts'

/**
 * What a job's code may know about the execution it is.
 */
export type JobInfo = {
  id: string
  queue: string
  type: string
  run: number
  /** 1 for the first execution of this run. */
  attempt: number
  user: string | null
  tags: string[]
}

/**
 * The part of the application's logger that a job's log uses.
 */
export type LogSink = Record<LogLevel, (bindings: object, message: string) => void>

/**
 * What the worker lends to one execution of a job. `report` and `log` accept at once and are written behind; they never
 * throw because Redis is away or the job has ended meanwhile.
 */
export interface JobContext {
  readonly job: JobInfo

  /** Aborted at cancellation, timeout, loss of the lease, and when the worker stops without grace left. */
  readonly signal: AbortSignal

  /** The newest report wins; see ProgressThrottle. */
  report(progress: Progress): void | Promise<void>

  /** One line of the job's own log, as text. */
  log(level: LogLevel, line: string): void

  /** What earlier attempts of this run have kept: JSON by name. Absent: nothing. */
  readonly checkpoints?: ReadonlyMap<string, string>

  /**
   * Keeps a checkpoint for later attempts; resolves when Redis has it. Absent in tests of job classes: then it lives as long as the
   * instance.
   *
   * @throws E_CHECKPOINT_REFUSED when the job's checkpoints would be too many or too large; the reason of the signal when this execution
   *   no longer owns the job
   */
  checkpoint?(name: string, json: string): Promise<void>

  /** The application's logger, or a child that names job and type. */
  readonly logger: LogSink

  /** For tests of job classes: what `awaited()` gives. Without it Redis and records are asked. */
  awaited?(): Promise<AwaitedResult[]>
}
