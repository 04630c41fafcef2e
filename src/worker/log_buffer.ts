import { type Clock, systemClock } from '../time/long_timer.ts'
import { cutText } from '../jobs/texts.ts'
import type { LogLevel } from '../types.ts'

/**
 * One line of a job's log: epoch ms, pino's number of the level, text.
 */
export type LogEntry = [at: number, level: number, line: string]

const LEVELS: Record<LogLevel, number> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
}

/**
 * Longest line in UTF-16 units, and most lines of one attempt. A job that writes more has a log of its own elsewhere.
 */
const LONGEST_LINE = 8_192
const MOST_LINES = 10_000

/**
 * Lines that are sent together, and how long a line waits for others, ms.
 */
const BATCH = 200
const INTERVAL = 200

/**
 * The log of one attempt on its way to Redis: lines are collected and sent together, one write at a time, in order.
 */
export class LogBuffer {
  #lines: LogEntry[] = []
  #taken = 0
  #timer: unknown
  #writing: Promise<void> | undefined
  #closed = false

  /**
   * @param write sends lines; a rejection goes to `onError` and loses them
   */
  constructor(
    private write: (lines: LogEntry[]) => Promise<unknown>,
    private onError: (error: unknown) => void,
    private clock: Clock = systemClock
  ) {}

  push(level: LogLevel, line: string): void {
    if (this.#closed || this.#taken > MOST_LINES) {
      return
    }
    this.#taken++
    this.#lines.push(
      this.#taken > MOST_LINES
        ? [
            Date.now(),
            LEVELS.warn,
            `More than ${MOST_LINES} lines: the rest is in the application's log only`,
          ]
        : [Date.now(), LEVELS[level] ?? LEVELS.info, cutText(line, LONGEST_LINE)]
    )
    if (this.#lines.length >= BATCH) {
      this.#clearTimer()
      this.#start()
    } else if (this.#timer === undefined && this.#writing === undefined) {
      this.#timer = this.clock.setTimeout(() => {
        this.#timer = undefined
        this.#start()
      }, INTERVAL)
    }
  }

  /**
   * Sends what is left and takes no more lines.
   */
  async finish(): Promise<void> {
    this.#closed = true
    this.#clearTimer()
    while (this.#writing !== undefined || this.#lines.length > 0) {
      this.#start()
      await this.#writing
    }
  }

  /**
   * Forgets what was not sent: it would be refused.
   */
  drop(): void {
    this.#closed = true
    this.#lines = []
    this.#clearTimer()
  }

  #start(): void {
    if (this.#writing !== undefined || this.#lines.length === 0) {
      return
    }
    this.#writing = this.#send(this.#lines.splice(0, BATCH)).then(() => {
      this.#writing = undefined
      if (this.#lines.length > 0) {
        this.#start()
      }
    })
  }

  async #send(lines: LogEntry[]): Promise<void> {
    try {
      await this.write(lines)
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
