import { E_INVALID_OPTION } from '../errors.ts'
import type { Duration, WaitForOptions } from '../types.ts'
import { currentManager } from './current_manager.ts'
import { DispatchBuilder } from './dispatch_builder.ts'
import { DispatchManyBuilder } from './dispatch_many_builder.ts'
import { isJobClass, type JobClass } from './job.ts'
import type { JobHandle } from './job_handle.ts'
import type { Dispatch, QueueManager } from './queue_manager.ts'
import { uuidV7 } from './uuid.ts'
import { resolveWaitFor, withoutRepeats, type WaitedFor } from './wait_for.ts'

/**
 * A part of a flow: a dispatch that nobody has awaited, of one or of many jobs, or a class whose jobs need no payload.
 */
export type FlowPart = DispatchBuilder<any> | DispatchManyBuilder<any> | JobClass

type Step = { parts: FlowPart[]; options: WaitForOptions }

/** Edges of one flow: a step of many after a step of many waits for each of them. */
const MOST_EDGES = 200_000

/**
 * The jobs of a dispatched flow, step by step.
 */
export class DispatchedFlow {
  constructor(readonly steps: JobHandle[][]) {}

  /** All of them, in the order of the steps. */
  get jobs(): JobHandle[] {
    return this.steps.flat()
  }

  /** The jobs of the last step. */
  get last(): JobHandle[] {
    return this.steps.at(-1)!
  }

  /**
   * Waits until the jobs of the last step have ended and gives their results.
   *
   * @throws JobFailedException when one failed or was cancelled, E_RESULT_TIMEOUT, E_JOB_NOT_FOUND
   */
  results(options: { timeout?: Duration } = {}): Promise<unknown[]> {
    return Promise.all(this.last.map((handle) => handle.result(options)))
  }

  toJSON(): { steps: JobHandle[][] } {
    return { steps: this.steps }
  }
}

/**
 * A flow that is about to be dispatched: each job of a step waits for all jobs of the step before. Awaiting it dispatches all of them,
 * once; they are checked before the first is enqueued. `then` with a part adds a step.
 */
export class FlowBuilder {
  #manager: () => Promise<QueueManager>
  #steps: Step[]
  #dispatched?: Promise<DispatchedFlow>

  /**
   * @throws E_INVALID_OPTION when a step is empty or holds something else
   */
  constructor(manager: () => Promise<QueueManager>, steps: Step[]) {
    if (steps.length === 0) throw new E_INVALID_OPTION(['chain', 'needs at least one job'])
    this.#manager = manager
    this.#steps = steps.map(checked)
  }

  /**
   * Adds a step that waits for all jobs of the one before.
   *
   * @param options.onFailure  What becomes of it when one of those fails or is cancelled: `cancel` (the default), `run` or `skip`
   */
  then(
    // Not how it is awaited: `await` looks for the other form.
    this: FlowBuilder & { readonly continued?: never },
    next: FlowPart | readonly FlowPart[],
    options?: WaitForOptions
  ): FlowBuilder
  then<Fulfilled = DispatchedFlow, Rejected = never>(
    onFulfilled?: ((flow: DispatchedFlow) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null
  ): Promise<Fulfilled | Rejected>
  then(first?: unknown, second?: unknown): unknown {
    if (Array.isArray(first) || isPart(first)) {
      return new FlowBuilder(this.#manager, [
        ...this.#steps,
        {
          parts: (Array.isArray(first) ? first : [first]) as FlowPart[],
          options: (second ?? {}) as WaitForOptions,
        },
      ])
    }
    return this.run().then(first as never, second as never)
  }

  /** Dispatches the flow; the same as awaiting it. */
  run(): Promise<DispatchedFlow> {
    this.#dispatched ??= this.#run()
    return this.#dispatched
  }

  async #run(): Promise<DispatchedFlow> {
    const steps: Dispatch[][] = []
    let edges = 0
    let before: string[] = []
    for (const { parts, options } of this.#steps) {
      const jobs = parts.flatMap((part) => dispatchesOf(part))
      edges += jobs.length * before.length
      if (edges > MOST_EDGES) {
        throw new E_INVALID_OPTION([
          'then',
          `would make ${edges} edges, at most ${MOST_EDGES} are allowed: put a single job between two large steps`,
        ])
      }
      const waits = resolveWaitFor(before, options)
      const step = jobs.map((job) => withEdges(job, waits))
      steps.push(step)
      /** A step may have come to no job at all (`dispatchMany([])`): the next one waits for what that would have waited for. */
      if (step.length > 0) before = step.map((job) => job.options.jobId!)
    }
    const manager = await this.#manager()
    const handles = await manager.enqueue(steps.flat())
    let at = 0
    return new DispatchedFlow(
      steps.map(({ length }) => {
        at += length
        return handles.slice(at - length, at)
      })
    )
  }
}

/**
 * Jobs that run one after the other; a list among them is a step of jobs that run side by side.
 */
export function chain(
  steps: readonly (FlowPart | readonly FlowPart[])[],
  options: WaitForOptions = {},
  manager: () => Promise<QueueManager> = currentManager
): FlowBuilder {
  return new FlowBuilder(
    manager,
    steps.map((step) => ({
      parts: (Array.isArray(step) ? step : [step]) as FlowPart[],
      options,
    }))
  )
}

/**
 * Jobs that run side by side; `.then(Next)` adds what waits for all of them.
 */
export function batch(
  parts: readonly FlowPart[],
  manager: () => Promise<QueueManager> = currentManager
): FlowBuilder {
  return new FlowBuilder(manager, [{ parts: [...parts], options: {} }])
}

function isPart(value: unknown): value is FlowPart {
  return (
    value instanceof DispatchBuilder || value instanceof DispatchManyBuilder || isJobClass(value)
  )
}

function checked({ parts, options }: Step): Step {
  if (parts.length === 0) {
    throw new E_INVALID_OPTION(['batch', 'needs at least one job in each step'])
  }
  for (const part of parts) {
    if (isPart(part)) continue
    throw new E_INVALID_OPTION([
      'batch',
      'takes job classes and dispatches that are not awaited, such as Parse.dispatch({ id: 1 })',
    ])
  }
  /** What cannot be said of a step is told before anything is sent. */
  resolveWaitFor([], options)
  return { parts, options }
}

function dispatchesOf(part: FlowPart): Dispatch[] {
  if (part instanceof DispatchBuilder || part instanceof DispatchManyBuilder) return part.take()
  return [{ type: part, payload: undefined, options: {} }]
}

function withEdges({ type, payload, options }: Dispatch, waits: WaitedFor[]): Dispatch {
  const waitFor = withoutRepeats([...(options.waitFor ?? []), ...waits])
  const jobId = options.jobId ?? uuidV7()
  return { type, payload, options: { ...options, jobId, ...(waitFor.length > 0 && { waitFor }) } }
}
