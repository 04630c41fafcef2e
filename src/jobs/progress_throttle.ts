import type { Progress } from '../types.ts'
import { type Clock, systemClock } from '../time/long_timer.ts'
import { WriteBehind } from './write_behind.ts'

/**
 * Keeps a job from writing its progress more often than anybody could look at it: the newest report wins, at most one
 * write starts per interval, one write runs at a time, and the last report is always written.
 */
export class ProgressThrottle extends WriteBehind {
  /** Newest report that is not written yet. */
  #newest: Progress | undefined

  /** When the last write started. */
  #lastWrite = Number.NEGATIVE_INFINITY

  /**
   * @param write sends one report. A rejection goes to `onError`; the next report is tried as ever.
   * @param interval shortest time between two writes, ms
   */
  constructor(
    private write: (progress: Progress) => Promise<unknown>,
    onError: (error: unknown) => void,
    clock: Clock = systemClock,
    private interval = 200
  ) {
    super(onError, clock)
  }

  /**
   * Takes a report. The first one after a pause is written at once.
   */
  push(progress: Progress): void {
    if (!this.closed) {
      this.#newest = progress
      this.collected()
    }
  }

  protected wait(): number | undefined {
    return this.#newest && this.#lastWrite + this.interval - this.clock.now()
  }

  protected send(): Promise<unknown> {
    const progress = this.#newest!
    this.#newest = undefined
    this.#lastWrite = this.clock.now()
    return this.write(progress)
  }

  protected forget(): void {
    this.#newest = undefined
  }
}
