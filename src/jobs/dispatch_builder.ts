import { DispatchSettings, takenAlready } from './dispatch_settings.ts'
import type { JobClass } from './job.ts'
import type { JobHandle } from './job_handle.ts'
import type { Dispatch, QueueManager } from './queue_manager.ts'

/**
 * One job that is about to be dispatched. Awaiting it dispatches it, once; a builder that nobody awaits dispatches nothing.
 *
 * Errors of the awaited dispatch: E_UNKNOWN_TYPE, E_PAYLOAD_INVALID, E_PAYLOAD_NOT_SERIALISABLE, E_PAYLOAD_TOO_LARGE,
 * E_DUPLICATE_JOB, E_REDIS_UNAVAILABLE. After any of them nothing is enqueued.
 */
export class DispatchBuilder<Result = unknown>
  extends DispatchSettings
  implements PromiseLike<JobHandle<Result>>
{
  #manager: () => Promise<QueueManager>
  #type: JobClass | string
  #payload: unknown
  #dispatched?: Promise<JobHandle<Result>>

  constructor(manager: () => Promise<QueueManager>, type: JobClass | string, payload: unknown) {
    super()
    this.#manager = manager
    this.#type = type
    this.#payload = payload
  }

  /** The job's id: a UUID. A dispatch with an id that exists already is refused. */
  withId(jobId: string): this {
    return this.with({ jobId })
  }

  /** Dispatches the job; the same as awaiting the builder. */
  run(): Promise<JobHandle<Result>> {
    this.#dispatched ??= this.#run()
    return this.#dispatched
  }

  then<Fulfilled = JobHandle<Result>, Rejected = never>(
    onFulfilled?: ((handle: JobHandle<Result>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null
  ): Promise<Fulfilled | Rejected> {
    return this.run().then(onFulfilled, onRejected)
  }

  catch<Rejected = never>(
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null
  ): Promise<JobHandle<Result> | Rejected> {
    return this.run().catch(onRejected)
  }

  finally(onFinally?: (() => void) | null): Promise<JobHandle<Result>> {
    return this.run().finally(onFinally)
  }

  /**
   * Hands the dispatch over to a flow, which sends it: it can no longer be awaited by itself.
   *
   * @throws E_INVALID_OPTION when it was sent already
   */
  take(): Dispatch[] {
    if (this.#dispatched !== undefined) throw takenAlready()
    this.#dispatched = Promise.reject(takenAlready())
    this.#dispatched.catch(() => {})
    return [{ type: this.#type, payload: this.#payload, options: this.options }]
  }

  async #run(): Promise<JobHandle<Result>> {
    const manager = await this.#manager()
    const [handle] = await manager.enqueue<Result>([
      { type: this.#type, payload: this.#payload, options: this.options },
    ])
    return handle
  }
}
