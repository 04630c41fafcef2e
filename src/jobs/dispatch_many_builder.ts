import { E_INVALID_OPTION } from '../errors.ts'
import { DispatchSettings } from './dispatch_settings.ts'
import type { JobClass } from './job.ts'
import type { JobHandle } from './job_handle.ts'
import type { QueueManager } from './queue_manager.ts'

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

  async #run(): Promise<JobHandle<Result>[]> {
    if (this.options.jobId !== undefined && this.#payloads.length > 1) {
      throw new E_INVALID_OPTION(['jobId', 'can name one job only'])
    }
    if (this.options.unique !== undefined && this.#payloads.length > 1) {
      throw new E_INVALID_OPTION([
        'unique',
        'can be of one job only; queue.dispatchMany() takes options of its own for each job',
      ])
    }
    const manager = await this.#manager()
    return manager.enqueue<Result>(
      this.#payloads.map((payload) => ({ type: this.#type, payload, options: this.options }))
    )
  }
}
