import type { JobClass } from './job.ts'
import type { QueueManager } from './queue_manager.ts'
import { ScheduleBuilder } from './schedule_builder.ts'
import { checkScheduleName, readMoments, type ScheduleOptions } from './schedule_definition.ts'

/**
 * A schedule that a job class says of itself, in the words of the official queue package. Awaiting it defines it, once; a builder that
 * nobody awaits defines nothing.
 *
 * ```ts
 * await SendReports.schedule({ kind: 'daily' }).id('nightly').cron('0 3 * * *').timezone('Europe/Berlin')
 * ```
 *
 * Errors when it is awaited: InvalidInputException for one that says neither `cron` nor `every`, or whose name another one of the code has.
 */
export class JobScheduleBuilder extends ScheduleBuilder implements PromiseLike<void> {
  #manager: () => Promise<QueueManager>
  #type: JobClass
  #payload: unknown
  #options: ScheduleOptions = {}
  #id: string | undefined
  #defined?: Promise<void>

  constructor(manager: () => Promise<QueueManager>, type: JobClass, payload: unknown) {
    super()
    this.#manager = manager
    this.#type = type
    this.#payload = payload
    this.job(type, payload as never)
  }

  /**
   * The schedule's name. Default: the name of the job type, which is enough while a type has one schedule.
   *
   * @throws InvalidInputException for a name that cannot be
   */
  id(name: string): this {
    this.#id = checkScheduleName(name)
    return this
  }

  /** Options of its jobs, as of a dispatch, where the type's own do not do. */
  with(options: ScheduleOptions): this {
    this.#options = { ...this.#options, ...options }
    return this.job(this.#type, this.#payload as never, this.#options)
  }

  /** Defines the schedule; the same as awaiting the builder. */
  run(): Promise<void> {
    this.#defined ??= this.#run()
    return this.#defined
  }

  then<Fulfilled = void, Rejected = never>(
    onFulfilled?: (() => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null
  ): Promise<Fulfilled | Rejected> {
    return this.run().then(onFulfilled, onRejected)
  }

  async #run(): Promise<void> {
    const manager = await this.#manager()
    const { name } = await manager.registry.find(this.#type)
    this.say({ name: this.#id ?? name })
    readMoments(this.input, this.#id ?? name)
    manager.define(this)
  }
}
