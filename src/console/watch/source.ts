import { LATE, within } from '../../time/within.ts'

/** An answer that takes longer counts as none, ms. */
const PATIENCE = 5_000

/**
 * Something that is read again and again, and may be away: its newest value stays, with its age and the reason why there is no newer
 * one.
 */
export class Source<T> {
  value: T | null = null

  /** When `value` was read; epoch ms. */
  at: number | null = null

  /** Since when it cannot be read, and why; null while it can. */
  away: { since: number; reason: string } | null = null

  #reading: Promise<void> | undefined

  constructor(
    private read: () => Promise<T>,
    private now: () => number = Date.now,
    private patience = PATIENCE
  ) {}

  /** Reads it, once at a time: what does not answer is not asked again meanwhile. */
  async refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    const ended = await within(this.patience, this.#reading)
    if (ended === LATE) this.#failed(`no answer within ${this.patience / 1_000} s`)
  }

  async #read(): Promise<void> {
    try {
      this.value = await this.read()
      this.at = this.now()
      this.away = null
    } catch (error) {
      this.#failed((error as Error).message)
    }
  }

  #failed(reason: string): void {
    this.away = { since: this.away?.since ?? this.now(), reason }
  }
}
