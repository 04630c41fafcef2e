import type { Clock } from '../../../src/time/long_timer.ts'

/**
 * A clock that stands until it is told to go on.
 */
export class FakeClock implements Clock {
  longestDelay = 0
  #now = 0
  #next = 1
  #timers = new Map<number, { due: number; callback: () => void }>()

  now = () => this.#now

  setTimeout = (callback: () => void, milliseconds: number) => {
    this.longestDelay = Math.max(this.longestDelay, milliseconds)
    this.#timers.set(this.#next, { due: this.#now + milliseconds, callback })
    return this.#next++
  }

  clearTimeout = (timer: unknown) => {
    this.#timers.delete(timer as number)
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a[1].due - b[1].due)
      if (next === undefined || next[1].due > end) break
      this.#timers.delete(next[0])
      this.#now = Math.max(this.#now, next[1].due)
      next[1].callback()
    }
    this.#now = end
  }
}
