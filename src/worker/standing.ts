import type { LogSink } from '../jobs/job_context.ts'
import type { WorkerWish } from '../transport/types.ts'
import type { WorkerView } from '../types.ts'
import type { Slots } from './slots.ts'

/**
 * Whether a worker takes jobs, takes none for the time being, or ends; from elsewhere it can be asked to change.
 */
export class Standing {
  #state: WorkerView['state'] = 'active'

  /**
   * @param stop ends the worker in order
   * @param changed hears when it went quiet or took up work again
   */
  constructor(
    private slots: Slots,
    private logger: LogSink,
    private stop: () => void,
    private changed: () => void
  ) {}

  get state(): WorkerView['state'] {
    return this.#state
  }

  /** The worker ends: nothing changes that any more. */
  stopping(): void {
    this.#state = 'stopping'
  }

  /**
   * Does what was asked. The same wish comes again with each report, so what is so already changes nothing.
   */
  obey(wish: WorkerWish): void {
    if (this.#state === 'stopping') {
      return
    }
    if (wish === 'stop') {
      this.logger.info({}, 'The worker was asked to stop')
      this.stop()
    } else if (wish === 'quiet' && this.#state === 'active') {
      this.#state = 'quiet'
      this.slots.pause()
      this.logger.info({}, 'The worker was asked to take no more jobs')
      this.changed()
    } else if (wish === 'resume' && this.#state === 'quiet') {
      this.#state = 'active'
      this.slots.resume()
      this.logger.info({}, 'The worker was asked to take jobs again')
      this.changed()
    }
  }
}
