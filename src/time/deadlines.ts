import { type Clock, LONGEST_DELAY, systemClock } from './long_timer.ts'

/**
 * Something that must end by a moment of the clock.
 */
export type Bounded = { readonly deadline: number; overdue(): void }

/**
 * One timer for the timeouts of all running jobs. A job that ends in time costs nothing but a number: the timer is set for
 * the earliest deadline seen, and when it fires it looks at what still runs.
 */
export class Deadlines {
  #timer: unknown
  #armedFor = Number.POSITIVE_INFINITY

  /**
   * @param running what runs now
   */
  constructor(
    private running: () => Iterable<Bounded>,
    private clock: Clock = systemClock
  ) {}

  /**
   * Takes note of a deadline. There is no call to take it back: what has ended is no longer among the running.
   */
  watch(deadline: number): void {
    if (deadline < this.#armedFor) {
      this.#arm(deadline)
    }
  }

  stop(): void {
    if (this.#timer !== undefined) {
      this.clock.clearTimeout(this.#timer)
      this.#timer = undefined
    }
    this.#armedFor = Number.POSITIVE_INFINITY
  }

  #arm(deadline: number): void {
    if (this.#timer !== undefined) {
      this.clock.clearTimeout(this.#timer)
    }
    this.#armedFor = deadline
    const wait = Math.min(Math.max(0, Math.ceil(deadline - this.clock.now())), LONGEST_DELAY)
    this.#timer = this.clock.setTimeout(() => this.#check(), wait)
  }

  #check(): void {
    this.#timer = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
    const now = this.clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const job of this.running()) {
      if (job.deadline <= now) {
        job.overdue()
      } else if (job.deadline < next) {
        next = job.deadline
      }
    }
    if (next !== Number.POSITIVE_INFINITY) {
      this.#arm(next)
    }
  }
}
