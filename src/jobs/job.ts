import type { AwaitedResult, JobOptions, ProgressDetails } from '../types.ts'
import { checkpointToJson, checkpointValues } from './checkpoints.ts'
import { currentManager } from './current_manager.ts'
import { DispatchBuilder } from './dispatch_builder.ts'
import { DispatchManyBuilder } from './dispatch_many_builder.ts'
import type { JobContext } from './job_context.ts'
import { JobLogger } from './job_logger.ts'
import { JobScheduleBuilder } from './job_schedule_builder.ts'
import type { PayloadValidator } from './payload.ts'
import { toProgress } from './progress.ts'

/**
 * Marks job classes, so that a class made with another copy of this package is recognised too.
 */
const JOB = Symbol.for('queuedeck.job')

/**
 * A class that extends `Job`.
 */
export type JobClass<Instance extends Job<any, any> = Job<any, any>> = {
  new (...dependencies: any[]): Instance
  options?: JobOptions
  payload?: PayloadValidator
}

/**
 * The payload and the result of a job class's instances.
 */
export type PayloadOf<Instance> = Instance extends { payload: infer Payload } ? Payload : never
export type ResultOf<Instance> = Instance extends { execute(): infer Result }
  ? Awaited<Result>
  : never

/**
 * `dispatch()` needs no argument where the payload may be undefined.
 */
export type PayloadArguments<Payload> = undefined extends Payload
  ? [payload?: Payload]
  : [payload: Payload]

/**
 * One type of work. Extend it in `app/jobs`, one class a file, as the default export; the container injects what the
 * constructor asks for.
 *
 * ```ts
 * export default class SendInvoice extends Job<{ invoiceId: number }, { sentAt: string }> {
 *   static options: JobOptions = { name: 'invoices.send', queue: 'mail', attempts: 3 }
 *   async execute() { ... }
 * }
 * await SendInvoice.dispatch({ invoiceId: 1 }).in('5m')
 * ```
 */
export abstract class Job<Payload = undefined, Result = unknown> {
  static readonly [JOB] = true

  /** Name, queue, attempts and so on of this type; each may be overridden at dispatch. */
  static options?: JobOptions

  /** A VineJS validator; payloads are checked with it at dispatch and again before execution. */
  static payload?: PayloadValidator

  #payload?: Payload
  #context?: JobContext
  #log?: JobLogger
  #checkpoints?: Record<string, unknown>

  /**
   * The work. What it returns is the job's result and must be writable as JSON.
   */
  abstract execute(): Promise<Result> | Result

  /**
   * Called once when the last attempt has failed. What it throws is logged and changes nothing.
   */
  failed?(error: Error): Promise<void> | void

  /** What was dispatched, after its validation. */
  get payload(): Payload {
    this.#required()
    return this.#payload as Payload
  }

  get jobId(): string {
    return this.#required().job.id
  }

  /** 1 for the first execution of this run. */
  get attempt(): number {
    return this.#required().job.attempt
  }

  /** 1 for a new job; Restart opens the next. */
  get run(): number {
    return this.#required().job.run
  }

  /** Aborted when the job is cancelled, runs too long, or its worker stops. */
  get signal(): AbortSignal {
    return this.#required().signal
  }

  /** Writes to the application's logger and into the job's own log. */
  get log(): JobLogger {
    const context = this.#required()
    this.#log ??= new JobLogger(context)
    return this.#log
  }

  /**
   * Reports how far the job is. Cheap enough for a tight loop: the newest report wins and at most five a second are written.
   *
   * @param percent 0 to 100
   * @throws E_INVALID_OPTION
   */
  async progress(percent: number, details?: ProgressDetails): Promise<void> {
    await this.#required().report(toProgress(percent, details))
  }

  /**
   * What came of the jobs that this one waited for, in the order in which they were named; none where it waited for nobody.
   *
   * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async awaited<Awaited = any>(): Promise<AwaitedResult<Awaited>[]> {
    const context = this.#required()
    const results = context.awaited
      ? await context.awaited()
      : await (await currentManager()).awaitedBy(context.job)
    return results as AwaitedResult<Awaited>[]
  }

  /**
   * What this run of the job has kept by `checkpoint`, by name: an attempt that follows one which failed, was handed back or lost its
   * worker finds here how far that came. Empty in the first attempt; Restart begins from the beginning.
   */
  get checkpoints(): Readonly<Record<string, unknown>> {
    this.#checkpoints ??= checkpointValues(this.#required().checkpoints)
    return this.#checkpoints
  }

  /**
   * Keeps a value for later attempts, in the place of an earlier one of that name. When it resolves, Redis has it. Meant for places and
   * references ("page 1,200 is done"): one value holds up to 256 KiB of JSON, a job up to 1,000 names and 1 MiB in all.
   *
   * @param value what JSON can hold, as results; `undefined` becomes `null`
   * @throws E_CHECKPOINT_REFUSED saying what to do; the reason of the signal when another execution owns the job by now
   */
  async checkpoint(name: string, value: unknown): Promise<void> {
    const context = this.#required()
    const json = checkpointToJson(name, value)
    await context.checkpoint?.(name, json)
    this.#checkpoints ??= checkpointValues(context.checkpoints)
    this.#checkpoints[name] = JSON.parse(json)
  }

  /**
   * Lends payload and context to a new instance, once, before `execute`. For workers and for tests of job classes.
   */
  attach(payload: Payload, context: JobContext): this {
    this.#payload = payload
    this.#context = context
    return this
  }

  /**
   * Prepares one job of this type; awaiting the returned builder enqueues it.
   */
  static dispatch<Instance extends Job<any, any>>(
    this: JobClass<Instance>,
    ...[payload]: PayloadArguments<PayloadOf<Instance>>
  ): DispatchBuilder<ResultOf<Instance>> {
    return new DispatchBuilder<ResultOf<Instance>>(currentManager, this, payload)
  }

  /**
   * Prepares a job for each payload; awaiting the returned builder enqueues them, a thousand in one round trip.
   */
  static dispatchMany<Instance extends Job<any, any>>(
    this: JobClass<Instance>,
    payloads: PayloadOf<Instance>[]
  ): DispatchManyBuilder<ResultOf<Instance>> {
    return new DispatchManyBuilder<ResultOf<Instance>>(currentManager, this, payloads)
  }

  /**
   * Prepares a recurring job of this type, e.g. in `start/schedules.ts`; awaiting the returned builder defines it.
   */
  static schedule<Instance extends Job<any, any>>(
    this: JobClass<Instance>,
    ...[payload]: PayloadArguments<PayloadOf<Instance>>
  ): JobScheduleBuilder {
    return new JobScheduleBuilder(currentManager, this, payload)
  }

  #required(): JobContext {
    if (this.#context === undefined) {
      throw new Error(
        `${this.constructor.name} has no payload and context yet: they are there from execute() on, not in the constructor`
      )
    }
    return this.#context
  }
}

/**
 * Whether a value is a class that extends `Job`, of this or another copy of this package.
 */
export function isJobClass(value: unknown): value is JobClass {
  return typeof value === 'function' && (value as { [JOB]?: unknown })[JOB] === true
}
