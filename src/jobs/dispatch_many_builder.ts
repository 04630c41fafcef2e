import { E_INVALID_OPTION } from '../errors.ts'
import { DispatchSettings, takenAlready } from './dispatch_settings.ts'
import type { JobClass } from './job.ts'
import type { JobHandle } from './job_handle.ts'
import type { Dispatch, QueueManager } from './queue_manager.ts'

/**
 * Jobs of one type that are about to be dispatched, all with the same settings. Awaiting it dispatches them, in order. All
 * are checked before the first is enqueued; every thousand goes to Redis in one round trip, and a failure between two
 * round trips says how many were enqueued.
 */
export class DispatchManyBuilder<Result = unknown>
  extends DispatchSettings
  implements PromiseLike<JobHandle<Result>[]>
{
  #manager: () => Promise<QueueManager>
  #type: JobClass | string
  #payloads: unknown[]
  #dispatched?: Promise<JobHandle<Result>[]>

  constructor(manager: () => Promise<QueueManager>, type: JobClass | string, payloads: unknown[]) {
    super()
    if (!Array.isArray(payloads)) {
      throw new E_INVALID_OPTION(['payloads', 'must be a list'])
    }
    this.#manager = manager
    this.#type = type
    this.#payloads = payloads
  }

  /** Dispatches the jobs; the same as awaiting the builder. */
  run(): Promise<JobHandle<Result>[]> {
    this.#dispatched ??= this.#run()
    return this.#dispatched
  }

  then<Fulfilled = JobHandle<Result>[], Rejected = never>(
    onFulfilled?: ((handles: JobHandle<Result>[]) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null
  ): Promise<Fulfilled | Rejected> {
    return this.run().then(onFulfilled, onRejected)
  }

  /**
   * Hands the dispatches over to a flow, which sends them: they can no longer be awaited by themselves.
   *
   * @throws E_INVALID_OPTION when they were sent already
   */
  take(): Dispatch[] {
    if (this.#dispatched !== undefined) throw takenAlready()
    this.#dispatched = Promise.reject(takenAlready())
    this.#dispatched.catch(() => {})
    return this.#dispatches()
  }

  async #run(): Promise<JobHandle<Result>[]> {
    const dispatches = this.#dispatches()
    const manager = await this.#manager()
    return manager.enqueue<Result>(dispatches)
  }

  #dispatches(): Dispatch[] {
    if (this.options.jobId !== undefined && this.#payloads.length > 1) {
      throw new E_INVALID_OPTION(['jobId', 'can name one job only'])
    }
    if (this.options.unique !== undefined && this.#payloads.length > 1) {
      throw new E_INVALID_OPTION([
        'unique',
        'can be of one job only; queue.dispatchMany() takes options of its own for each job',
      ])
    }
    return this.#payloads.map((payload) => ({ type: this.#type, payload, options: this.options }))
  }
}
