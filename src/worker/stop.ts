import { after, type Clock } from '../time/long_timer.ts'
import { LATE, within } from '../time/within.ts'
import type { JobWorker } from './job_worker.ts'
import { deferred, first, pause } from './waiting.ts'

/**
 * How long aborted code gets to return before its job is handed back, ms. Its grace period is over then.
 */
export const LAST_MOMENT = 1_000

/**
 * How long Redis may take to accept what is handed back, ms.
 */
const HAND_BACK_WITHIN = 5_000

/**
 * How a worker process comes to an end: running jobs are waited for, then aborted, then handed back.
 */
export class Stop {
  /** Resolved when running jobs are not waited for any longer. */
  #patienceOver = deferred()
  /** Resolved when they are not even given a last moment. */
  #hurry = deferred()
  #stopGrace: (() => void) | undefined

  constructor(private clock: Clock) {}

  /**
   * Waits for running jobs no longer than this, ms. The first call counts.
   */
  within(grace: number): void {
    this.#stopGrace ??= after(grace, () => this.#patienceOver.resolve(), this.clock)
  }

  /**
   * Waits for nothing any more.
   */
  atOnce(): void {
    this.#hurry.resolve()
    this.#patienceOver.resolve()
  }

  /**
   * Ends the work of these queues.
   *
   * @returns whether everything that ran is accounted for in Redis, and how many jobs were handed back
   */
  async end(workers: JobWorker[]): Promise<{ clean: boolean; handedBack: number }> {
    /** A Redis that is away cannot be told, and one that says nothing would be waited for for ever. */
    const stopped = Promise.allSettled(workers.map((worker) => worker.stopClaiming()))
    await first(stopped, pause(LAST_MOMENT))

    let handedBack = 0
    const idle = Promise.all(workers.map((worker) => worker.idle()))
    let clean = await first(idle, this.#patienceOver.promise)
    if (!clean) {
      workers.forEach((worker) => worker.abortAll())
      clean = await first(idle, pause(LAST_MOMENT), this.#hurry.promise)
    }
    if (!clean) {
      clean = await this.#handBack(workers, () => handedBack++)
    }
    this.#stopGrace?.()
    return { clean, handedBack }
  }

  async #handBack(workers: JobWorker[], handedBack: () => void): Promise<boolean> {
    const all = Promise.all(workers.map((worker) => worker.handBackAll(handedBack)))
    const ended = await within(HAND_BACK_WITHIN, all).catch(() => LATE)
    workers.forEach((worker) => worker.giveUp())
    return ended !== LATE
  }
}
