import { cutText } from '../cut_text.ts'
import { type Clock, systemClock } from '../time/long_timer.ts'
import { WriteBehind } from '../jobs/write_behind.ts'
import type { LogEntry } from '../transport/types.ts'
import type { LogLevel } from '../types.ts'

const LEVELS: Record<LogLevel, number> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
}

/**
 * Longest line in UTF-16 units, and most lines and units of one attempt. A job that writes more has a log of its own elsewhere.
 */
const LONGEST_LINE = 8_192
const MOST_LINES = 10_000
const MOST_UNITS = 10_000_000

/**
 * Lines that are sent together, and how long a line waits for others, ms.
 */
const BATCH = 200
const INTERVAL = 200

/**
 * The log of one attempt on its way to Redis: lines are collected and sent together, one write at a time, in order.
 */
export class LogBuffer extends WriteBehind {
  #lines: LogEntry[] = []
  #taken = 0
  #units = 0
  #full = false

  /** When the oldest line that waits was logged, by the clock. */
  #oldest = 0

  /**
   * @param write sends lines; a rejection goes to `onError` and loses them
   */
  constructor(
    private write: (lines: LogEntry[]) => Promise<unknown>,
    onError: (error: unknown) => void,
    clock: Clock = systemClock
  ) {
    super(onError, clock)
  }

  push(level: LogLevel, line: string): void {
    if (this.closed || this.#full) {
      return
    }
    if (this.#lines.length === 0) {
      this.#oldest = this.clock.now()
    }
    const text = cutText(line, LONGEST_LINE)
    this.#taken++
    this.#units += text.length
    this.#full = this.#taken > MOST_LINES || this.#units > MOST_UNITS
    this.#lines.push(this.#full ? this.#last() : [Date.now(), LEVELS[level] ?? LEVELS.info, text])
    this.collected()
  }

  #last(): LogEntry {
    const most =
      this.#taken > MOST_LINES ? `${MOST_LINES} lines` : `${MOST_UNITS / 1_000_000} million letters`
    return [Date.now(), LEVELS.warn, `More than ${most}: the rest is in the application's log only`]
  }

  protected wait(): number | undefined {
    if (this.#lines.length === 0) {
      return undefined
    }
    return this.#lines.length >= BATCH ? 0 : this.#oldest + INTERVAL - this.clock.now()
  }

  protected send(): Promise<unknown> {
    const lines = this.#lines.splice(0, BATCH)
    this.#oldest = this.clock.now()
    return this.write(lines)
  }

  protected forget(): void {
    this.#lines = []
  }
}
