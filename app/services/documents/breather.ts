import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest time that long work keeps everything else of its process waiting, in milliseconds. */
const LONGEST = 8

/**
 * Long work in steps of a few milliseconds; it yields between two of them.
 */
export type Steps<Result> = Generator<void, Result, void>

/**
 * Lets long work give way to everything else of its process: ask it between two steps of less than a few milliseconds.
 */
export class Breather {
  #since = performance.now()

  async breathe(): Promise<void> {
    if (performance.now() - this.#since < LONGEST) return
    await nextTurn()
    this.#since = performance.now()
  }

  /** Runs work to its end, giving way between its steps. */
  async through<Result>(steps: Steps<Result>): Promise<Result> {
    for (;;) {
      const { done, value } = steps.next()
      if (done === true) return value
      await this.breathe()
    }
  }
}

/**
 * Runs work to its end without giving way.
 */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
