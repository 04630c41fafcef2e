import type { Progress } from '../types.ts'
import { type Clock, systemClock } from '../time/long_timer.ts'

/**
 * Keeps a job from writing its progress more often than anybody could look at it: the newest report wins, at most one
 * write starts per interval, one write runs at a time, and the last report is always written.
 */
export class ProgressThrottle {
  /** Newest report that is not written yet. */
  #waiting: Progress | undefined

  /** The write that runs now. */
  #writing: Promise<void> | undefined

  /** Set while the next write waits for its turn. */
  #timer: unknown

  /** When the last write started. */
  #lastWrite = Number.NEGATIVE_INFINITY

  #closed = false

  /**
   * @param write sends one report. A rejection goes to `onError`; the next report is tried as ever.
   * @param interval shortest time between two writes, ms
   */
  constructor(
    private write: (progress: Progress) => Promise<unknown>,
    private onError: (error: unknown) => void,
    private clock: Clock = systemClock,
    private interval = 200
  ) {}

  /**
   * Takes a report. The first one after a pause is written at once.
   */
  push(progress: Progress): void {
    if (this.#closed) {
      return
    }
    this.#waiting = progress
    this.#schedule()
  }

  /**
   * Writes what still waits, without regard to the interval, and resolves when it is written. Reports after this are ignored:
   * the job has returned.
   */
  async finish(): Promise<void> {
    this.#closed = true
    this.#clearTimer()
    await this.#writing
    if (this.#waiting !== undefined) {
      await this.#start()
    }
  }

  /**
   * Forgets what waits; nothing is written any more. For attempts whose writes would be refused.
   */
  drop(): void {
    this.#closed = true
    this.#waiting = undefined
    this.#clearTimer()
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined) {
      return
    }
    const wait = this.#lastWrite + this.interval - this.clock.now()
    if (wait <= 0) {
      void this.#start()
      return
    }
    this.#timer = this.clock.setTimeout(() => {
      this.#timer = undefined
      void this.#start()
    }, wait)
  }

  async #start(): Promise<void> {
    const progress = this.#waiting
    if (progress === undefined) {
      return
    }
    this.#waiting = undefined
    this.#lastWrite = this.clock.now()
    this.#writing = this.#send(progress)
    await this.#writing
    this.#writing = undefined
    if (this.#waiting !== undefined && !this.#closed) {
      this.#schedule()
    }
  }

  async #send(progress: Progress): Promise<void> {
    try {
      await this.write(progress)
    } catch (error) {
      this.onError(error)
    }
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) {
      this.clock.clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }
}
