import { assertTaken } from '../jobs/checkpoints.ts'
import type { Job } from '../jobs/job.ts'
import type { JobContext, JobInfo, LogSink } from '../jobs/job_context.ts'
import { after, type Clock } from '../time/long_timer.ts'
import { ProgressThrottle } from '../jobs/progress_throttle.ts'
import type { CheckpointAnswer } from '../transport/checkpoints.ts'
import type { LogEntry } from '../transport/types.ts'
import type { LogLevel, Progress } from '../types.ts'
import { type JobAbortedError, leaseLost, timedOut } from './abort_reasons.ts'
import type { ClaimedJob } from './claim.ts'
import type { Bounded } from '../time/deadlines.ts'
import type { Ending } from './endings.ts'
import type { IsolatedProcess } from './isolation/isolated_process.ts'
import { LogBuffer } from './log_buffer.ts'

/**
 * What an attempt tells while it runs.
 */
export type Told = { progress?: Progress; log?: LogEntry[] }

/**
 * What an attempt keeps for the next one; the value as JSON.
 */
export type Checkpoint = { name: string; json: string }

/**
 * What an attempt needs of the worker that runs it.
 */
export interface AttemptHost {
  readonly queue: string
  readonly clock: Clock
  /** How long a job stays claimed without being renewed, ms. */
  readonly lease: number
  /** How long aborted code may take to return, ms. */
  readonly grace: number
  readonly logger: LogSink

  /** Writes progress or log lines with the attempt's token; false when Redis refused them. */
  report(attempt: Attempt, what: Told): Promise<boolean>

  /** Keeps a checkpoint with the attempt's token; waits while Redis cannot take it. */
  keep(attempt: Attempt, checkpoint: Checkpoint): Promise<CheckpointAnswer>

  /**
   * Whether the attempt still holds its job: known at once while its lease is fresh, as almost always. Else Redis is asked; an attempt
   * that does not hold its job any more is aborted.
   */
  holds(attempt: Attempt): true | Promise<boolean>

  /** Takes note of a moment of the clock by which an attempt has to end. */
  watch(deadline: number): void

  /** The code of an aborted attempt has not returned within its grace period. */
  signalIgnored(attempt: Attempt): void
}

/**
 * One execution of a job in this process, from its claim until its code has returned. Whatever costs something (signal, timers,
 * throttle, log) is made when it is first used: most jobs are short and use none of it.
 */
export class Attempt implements JobContext, Bounded {
  readonly job: JobInfo

  /** Moment of the clock at which the attempt has taken too long. */
  deadline = Number.POSITIVE_INFINITY

  /** The object whose code runs; undefined before it was made. */
  instance: Job<any, any> | undefined

  /** The process that its code runs in; undefined when that is this one. */
  process: IsolatedProcess | undefined

  /** Its signal was aborted, the grace period is over, and its code has not returned. */
  signalIgnored = false

  /** Set when its end is being written, or has been; a `failed` hook may run after that. */
  ending: Promise<Ending> | undefined

  /** Set when the attempt was settled in Redis before its code returned; the code's end changes nothing then. */
  settledEarly: Promise<null> | undefined

  /** What attempts of this run have kept, this one included; undefined while that is nothing. */
  checkpoints: Map<string, string> | undefined

  /** Its code has returned: whatever it does from now on is dropped. */
  #closed = false

  #renewedAt: number
  #timeout = 0
  #aborted: JobAbortedError | undefined
  #controller: AbortController | undefined
  #stopGrace: (() => void) | undefined
  #progress: ProgressThrottle | undefined
  #log: LogBuffer | undefined

  constructor(
    readonly claim: ClaimedJob,
    readonly host: AttemptHost,
    renewedAt: number
  ) {
    this.#renewedAt = renewedAt
    this.job = {
      id: claim.id,
      queue: host.queue,
      type: claim.type,
      run: claim.run,
      attempt: claim.attempt,
      user: claim.user,
      tags: claim.tags,
    }
  }

  get logger(): LogSink {
    return this.host.logger
  }

  /** Why the signal was aborted; undefined while it is not. */
  get aborted(): JobAbortedError | undefined {
    return this.#aborted
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) {
        this.#controller.abort(this.#aborted)
      }
    }
    return this.#controller.signal
  }

  /** Moment of the clock at which its lease was last asked for: it lasts from then on at least. */
  get renewedAt(): number {
    return this.#renewedAt
  }

  /**
   * Its lease was renewed.
   *
   * @param askedAt moment of the clock before which Redis did not do so
   */
  renewed(askedAt: number): void {
    this.#renewedAt = askedAt
    this.process?.renewed(this)
  }

  /**
   * How long the attempt may go on without being renewed, ms. A lease that Redis could not be asked to renew for as long as it lasts runs
   * out there too, and another worker may run the job: the code is told to stop a little before, since it has to hear of it first.
   */
  get leaseLeft(): number {
    return this.#renewedAt + this.host.lease * 0.875 - this.host.clock.now()
  }

  /**
   * Looks right before the code begins whether it still may: between the claim and here this process waited for this and that, and may
   * have been held up for longer than the lease, or told to stop.
   *
   * @returns undefined when there is nothing to wait for; rejects, or throws, the reason of its signal when it may not
   */
  begin(): Promise<void> | undefined {
    const held = this.host.holds(this)
    if (held !== true) {
      return this.#beginIf(held)
    }
    this.#assertGoesOn()
    return undefined
  }

  /**
   * Starts the attempt's time.
   *
   * @param timeout ms
   */
  limit(timeout: number): void {
    this.#timeout = timeout
    this.deadline = this.host.clock.now() + timeout
    this.host.watch(this.deadline)
  }

  overdue(): void {
    this.deadline = Number.POSITIVE_INFINITY
    this.abort(timedOut(this.#timeout))
  }

  /**
   * Aborts the signal. The first reason stays, except that a lost lease always counts: nothing can be written any more.
   *
   * @returns whether this call aborted it
   */
  abort(reason: JobAbortedError): boolean {
    if (reason.kind === 'lease lost') {
      this.#progress?.drop()
      this.#log?.drop()
    }
    if (this.#aborted !== undefined) {
      if (reason.kind === 'lease lost') {
        this.#aborted = reason
      }
      return false
    }
    this.#aborted = reason
    this.deadline = Number.POSITIVE_INFINITY
    if (
      !this.#closed &&
      reason.kind !== 'shutdown' &&
      (reason.kind !== 'lease lost' || this.process)
    ) {
      this.#stopGrace = after(this.host.grace, () => this.#ignored(), this.host.clock)
    }
    this.#controller?.abort(reason)
    return true
  }

  report(progress: Progress): void {
    if (this.#closed) {
      return
    }
    this.#progress ??= new ProgressThrottle(
      (newest) => this.write({ progress: newest }),
      (error) => this.#failedToWrite('progress', error),
      this.host.clock
    )
    this.#progress.push(progress)
  }

  log(level: LogLevel, line: string): void {
    if (this.#closed) {
      return
    }
    this.#log ??= new LogBuffer(
      (lines) => this.write({ log: lines }),
      (error) => this.#failedToWrite('log lines', error),
      this.host.clock
    )
    this.#log.push(level, line)
  }

  async checkpoint(name: string, json: string): Promise<void> {
    if (this.#closed) {
      throw leaseLost('its code has returned')
    }
    const answer = await this.keep({ name, json })
    if (answer.outcome === 'refused') {
      throw this.#aborted!
    }
    assertTaken(name, answer)
  }

  /**
   * Keeps a checkpoint now. When Redis refuses it because the job is another's, the attempt is aborted.
   */
  async keep(checkpoint: Checkpoint): Promise<CheckpointAnswer> {
    const answer = await this.host.keep(this, checkpoint)
    if (answer.outcome === 'refused') {
      this.abort(leaseLost('Redis refused its checkpoint'))
    } else if (answer.outcome === 'kept') {
      this.checkpoints ??= new Map()
      this.checkpoints.set(checkpoint.name, checkpoint.json)
    }
    return answer
  }

  /**
   * The code has returned: stops the timers, writes the last progress and log lines and ignores later ones.
   */
  close(): Promise<unknown> | undefined {
    this.#closed = true
    this.deadline = Number.POSITIVE_INFINITY
    this.#stopGrace?.()
    if (this.#progress === undefined && this.#log === undefined) {
      return undefined
    }
    return Promise.all([this.#progress?.finish(), this.#log?.finish()])
  }

  /**
   * Writes progress or log lines now. False when they were refused: the attempt is aborted then.
   */
  async write(what: Told): Promise<boolean> {
    const accepted = await this.host.report(this, what)
    if (!accepted) {
      this.abort(leaseLost('Redis refused its report'))
    }
    return accepted
  }

  async #beginIf(held: Promise<boolean>): Promise<void> {
    /** One that does not hold its job is aborted by now. */
    await held
    this.#assertGoesOn()
  }

  #assertGoesOn(): void {
    if (this.#aborted !== undefined) {
      throw this.#aborted
    }
  }

  #ignored(): void {
    this.signalIgnored = true
    this.host.signalIgnored(this)
  }

  #failedToWrite(what: string, error: unknown): void {
    this.host.logger.warn(
      { err: error, jobId: this.job.id },
      `The ${what} of a job could not be written`
    )
  }
}
