import type { AwaitedResult, DispatchOptions, ResolvedConfig, WaitForOptions } from '../types.ts'
import { DispatchBuilder } from './dispatch_builder.ts'
import type { AwaitedResults } from './awaited_results.ts'
import { FakeQueue } from './fake_queue.ts'
import { batch, chain, type FlowBuilder, type FlowPart } from './flow_builder.ts'
import type { JobClass, PayloadOf, ResultOf } from './job.ts'
import type { Job } from './job.ts'
import { JobHandle } from './job_handle.ts'
import { assertFewTags, assertMembers, joinTags } from './names.ts'
import { delayOf, type ResolvedDispatchOptions, resolveDispatchOptions } from './options.ts'
import { validatePayload, writePayload } from './payload.ts'
import type { JobDefinition, JobRegistry } from './registry.ts'
import type { ResultWaiter } from './result_waiter.ts'
import { checkScheduleName } from './schedule_definition.ts'
import { ScheduleBuilder } from './schedule_builder.ts'
import { type JobTransport, toTransportJob } from './transport_job.ts'
import { E_JOB_NOT_FOUND, InvalidInputException } from '../errors.ts'
import type { Schedule } from '../schedule_types.ts'
import type { Duplicates, NewTransportJob } from '../transport/types.ts'
import type { FlowEdge } from '../transport/flow_edges.ts'
import type { AwaitedJobs } from './awaited_jobs.ts'
import { uuidV7 } from './uuid.ts'
import { inFlowOrder } from './wait_for.ts'

/**
 * A dispatch whose options are checked; type and payload are not yet.
 */
export type Dispatch = {
  type: JobClass | string
  payload: unknown
  options: ResolvedDispatchOptions
}

/**
 * One of several dispatches of different types.
 */
export type DispatchRequest = {
  type: JobClass | string
  payload?: unknown
  options?: DispatchOptions
}

type Prepared = {
  definition: JobDefinition
  jobId: string
  queue: string
  json: string
  options: ResolvedDispatchOptions
}

const NEVER_RUN: Pick<ResultWaiter, 'wait'> = {
  wait: async (jobId) => {
    throw new E_JOB_NOT_FOUND([jobId])
  },
}

/**
 * Dispatches jobs: what the container binds as `queuedeck` and applications import as `queue`.
 */
export class QueueManager {
  /** The schedules that the application's code defines, by name. */
  readonly schedules = new Map<string, ScheduleBuilder>()

  #fake?: FakeQueue

  constructor(
    readonly config: ResolvedConfig,
    readonly registry: JobRegistry,
    private transport: JobTransport,
    private waiter: ResultWaiter,
    private awaited?: Pick<AwaitedJobs, 'places' | 'outcomes'>,
    private results?: Pick<AwaitedResults, 'of'>
  ) {}

  /**
   * Prepares one job; awaiting the returned builder enqueues it. Types may be given by name, e.g. from a request.
   *
   * @throws E_INVALID_OPTION, E_INVALID_DURATION
   */
  dispatch<Instance extends Job<any, any>>(
    type: JobClass<Instance>,
    payload?: PayloadOf<Instance>,
    options?: DispatchOptions
  ): DispatchBuilder<ResultOf<Instance>>
  dispatch(type: string, payload?: unknown, options?: DispatchOptions): DispatchBuilder
  dispatch(
    type: JobClass | string,
    payload?: unknown,
    options: DispatchOptions = {}
  ): DispatchBuilder {
    return new DispatchBuilder(() => Promise.resolve(this), type, payload).with(options)
  }

  /**
   * Enqueues many jobs of any types, in order. All are checked before the first is enqueued; every thousand goes to Redis in
   * one round trip.
   */
  async dispatchMany(dispatches: DispatchRequest[]): Promise<JobHandle[]> {
    return this.enqueue(
      dispatches.map((dispatch) => {
        assertMembers(dispatch, 'dispatch', ['type', 'payload', 'options'])
        const { type, payload, options = {} } = dispatch
        return { type, payload, options: resolveDispatchOptions(options) }
      })
    )
  }

  /**
   * Jobs that run one after the other; a list among them is a step of jobs that run side by side. Awaiting the returned builder enqueues
   * all of them.
   */
  chain(
    steps: readonly (FlowPart | readonly FlowPart[])[],
    options: WaitForOptions = {}
  ): FlowBuilder {
    return chain(steps, options, () => Promise.resolve(this))
  }

  /**
   * Jobs that run side by side; `.then(Next)` adds what waits for all of them.
   */
  batch(parts: readonly FlowPart[]): FlowBuilder {
    return batch(parts, () => Promise.resolve(this))
  }

  /**
   * What came of the jobs that a job waited for. Jobs themselves ask by `this.awaited()`.
   *
   * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE
   */
  async awaitedBy(job: { queue: string; id: string }): Promise<AwaitedResult[]> {
    return this.results?.of(job) ?? []
  }

  /**
   * Defines a recurring job, e.g. in `start/schedules.ts`: say when it is due and what it runs.
   *
   * @throws InvalidInputException for a name that cannot be, or that another schedule of the code has
   */
  schedule(name: string): ScheduleBuilder {
    return this.define(new ScheduleBuilder(name))
  }

  /**
   * Takes a schedule of the code that has its name. `schedule` and `Job.schedule` end here.
   *
   * @throws InvalidInputException for a name that cannot be, or that another schedule of the code has
   */
  define<Builder extends ScheduleBuilder>(builder: Builder): Builder {
    const name = checkScheduleName(builder.input.name)
    if (this.schedules.has(name)) {
      throw new InvalidInputException(`Two schedules of the code are named "${name}"`, 'name')
    }
    this.schedules.set(name, builder)
    return builder
  }

  /**
   * The job that a schedule has at a moment. What its type says now counts, where the schedule itself says nothing.
   *
   * @param run.due epoch ms
   * @param run.now epoch ms
   * @param run.run of a job that Redis has lost before it started: the run that it goes on with
   */
  scheduledJob(
    schedule: Schedule,
    {
      jobId,
      due,
      now,
      ...mark
    }: { jobId: string; due: number; now: number; run?: number; manual?: true }
  ): NewTransportJob {
    const { id, overlap, missed, type, queue, payload } = schedule
    const options: ResolvedDispatchOptions = {
      ...merge(this.registry.get(type)?.options ?? {}, schedule.options),
      schedule: { id, due, overlap, missed, ...mark },
      ...(mark.manual ? undefined : { at: new Date(due) }),
    }
    const job = toTransportJob(type, jobId, queue, payload, options, now)
    return {
      ...job,
      opts: { ...job.opts, qd: { ...job.opts.qd, by: `schedule ${schedule.name}` } },
    }
  }

  /**
   * The job of an id, to wait for its result.
   *
   * @param queue needed only for jobs that have no record yet
   */
  handle<Result = unknown>(jobId: string, queue: string | null = null): JobHandle<Result> {
    return new JobHandle<Result>(jobId, queue, null, this.waiter)
  }

  /**
   * Checks and enqueues dispatches whose options are resolved. The builders end here.
   *
   * @throws E_UNKNOWN_TYPE, E_PAYLOAD_INVALID, E_PAYLOAD_NOT_SERIALISABLE, E_PAYLOAD_TOO_LARGE, E_AWAITED_UNKNOWN, E_FLOW_CIRCLE,
   *   E_REDIS_UNAVAILABLE; E_DUPLICATE_JOB when all others are enqueued
   */
  async enqueue<Result = unknown>(dispatches: Dispatch[]): Promise<JobHandle<Result>[]> {
    const prepared: Prepared[] = []
    for (const dispatch of dispatches) {
      prepared.push(await this.#prepare(dispatch))
    }
    const ordered = inFlowOrder(prepared)

    let duplicates: Duplicates | undefined
    if (this.#fake === undefined) {
      const edges = await this.#edges(ordered)
      const now = Date.now()
      duplicates = await this.transport.add(
        ordered.map(({ definition, jobId, queue, json, options }) =>
          toTransportJob(definition.name, jobId, queue, json, options, now, edges?.get(jobId))
        ),
        edges && this.awaited && ((places) => this.awaited!.outcomes(places))
      )
    } else {
      this.#record(this.#fake, prepared)
    }
    /** A fake job never ends, and Redis is not asked for it: the tests of an application may have none. */
    const waiter = this.#fake ? NEVER_RUN : this.waiter
    return prepared.map(({ jobId, queue, definition }) => {
      const holder = duplicates?.get(jobId)
      return holder
        ? new JobHandle<Result>(holder.id, holder.queue, definition.name, waiter, true)
        : new JobHandle<Result>(jobId, queue, definition.name, waiter)
    })
  }

  /**
   * Records dispatches instead of sending them, until `restore()`. For tests.
   */
  fake(): FakeQueue {
    const fake: FakeQueue = new FakeQueue(() => {
      if (this.#fake === fake) {
        this.#fake = undefined
      }
    })
    this.#fake = fake
    return fake
  }

  /** Ends the fake, if there is one. */
  restore(): void {
    this.#fake = undefined
  }

  async #prepare({ type, payload, options }: Dispatch): Promise<Prepared> {
    const definition = await this.registry.find(type)
    const json = writePayload(definition.name, payload, this.config.payloadLimit)
    if (definition.validator !== undefined) {
      await validatePayload(definition.name, definition.validator, JSON.parse(json))
    }
    const merged = merge(definition.options, options)
    assertFewTags(merged.tags)
    /** Also the fake refuses a moment that cannot be. */
    delayOf(merged, Date.now())
    return {
      definition,
      json,
      options: merged,
      jobId: merged.jobId ?? uuidV7(),
      queue: merged.queue ?? this.config.defaultQueue,
    }
  }

  /** What each job waits for, with the queues; undefined where none waits for anything. */
  async #edges(prepared: Prepared[]): Promise<Map<string, FlowEdge[]> | undefined> {
    const waiting = prepared.filter(({ options }) => options.waitFor !== undefined)
    if (waiting.length === 0) return undefined
    const queues = new Map(prepared.map(({ jobId, queue }) => [jobId, queue]))
    const nowhere = new Set<string>()
    for (const { options } of waiting) {
      for (const { jobId, queue } of options.waitFor!) {
        if (queue === null && !queues.has(jobId)) nowhere.add(jobId)
      }
    }
    const places = await this.awaited?.places([...nowhere])
    return new Map(
      waiting.map(({ jobId, options }) => [
        jobId,
        options.waitFor!.map(({ jobId: id, queue, onFailure }) => {
          const of = queue ?? queues.get(id)
          return of === undefined
            ? { ...places!.get(id)!, onFailure }
            : { queue: of, id, onFailure }
        }),
      ])
    )
  }

  #record(fake: FakeQueue, prepared: Prepared[]): void {
    for (const { definition, jobId, queue, json, options } of prepared) {
      fake.record({ jobId, type: definition.name, queue, payload: JSON.parse(json), options })
    }
  }
}

/**
 * The dispatch wins over the type, but for tags, which add up.
 */
function merge(
  ofType: JobDefinition['options'],
  ofDispatch: ResolvedDispatchOptions
): ResolvedDispatchOptions {
  const merged: ResolvedDispatchOptions = { ...ofType, ...ofDispatch }
  if (ofType.tags !== undefined && ofDispatch.tags !== undefined) {
    merged.tags = joinTags(ofType.tags, ofDispatch.tags)
  }
  return merged
}
