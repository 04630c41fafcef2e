import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest time that long work keeps everything else of its process waiting, in milliseconds. */
const LONGEST = 10

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
}
