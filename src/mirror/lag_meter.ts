import { idMilliseconds } from './entries.ts'

const CLOCK_EVERY = 30_000
const KEPT = 4_096

/**
 * How long entries take from Redis into records. Entries carry Redis' time, so this process' clock is first set against
 * Redis' own.
 */
export class LagMeter {
  /** Of the newest committed entry, ms. */
  milliseconds = 0

  #redisTime: () => Promise<number>
  #offset = Date.now() - performance.now()
  #setAt = -Infinity
  #samples = new Float64Array(KEPT)
  #taken = 0

  constructor(redisTime: () => Promise<number>) {
    this.#redisTime = redisTime
  }

  /**
   * Takes the ids that were just committed, oldest first; a few of each batch are kept.
   */
  committed(ids: string[]): void {
    if (performance.now() - this.#setAt > CLOCK_EVERY) this.#setClock()
    const now = this.now()
    const step = Math.max(1, Math.floor(ids.length / 16))
    for (let index = ids.length - 1; index >= 0; index -= step) {
      this.#samples[this.#taken++ % KEPT] = Math.max(0, now - idMilliseconds(ids[index]))
    }
    this.milliseconds = Math.max(0, now - idMilliseconds(ids[ids.length - 1]))
  }

  /**
   * The time by Redis' clock, as far as this process can tell.
   */
  now(): number {
    return performance.now() + this.#offset
  }

  /**
   * Quantiles of the newest 4,096 samples, ms; null before the first.
   */
  quantiles(): { p50: number; p95: number; p99: number; max: number } | null {
    const samples = this.#samples.slice(0, Math.min(this.#taken, KEPT)).sort()
    if (samples.length === 0) return null
    const at = (share: number) =>
      samples[Math.min(samples.length - 1, Math.floor(samples.length * share))]
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: samples[samples.length - 1] }
  }

  reset(): void {
    this.#taken = 0
  }

  #setClock(): void {
    this.#setAt = performance.now()
    const asked = performance.now()
    this.#redisTime().then(
      (time) => (this.#offset = time - (asked + performance.now()) / 2),
      () => (this.#setAt = -Infinity)
    )
  }
}
