import { type Clock, systemClock } from '../time/long_timer.ts'

/**
 * What an attempt tells while its code goes on: collected, and written one write at a time. What is collected, and how long it
 * waits for more, is the subclass's.
 */
export abstract class WriteBehind {
  /** The write that runs now. */
  #writing: Promise<void> | undefined

  /** Set while the next write waits for its turn. */
  #timer: unknown

  #closed = false

  /**
   * @param onError hears of writes that were rejected; what they carried is lost
   */
  constructor(
    private onError: (error: unknown) => void,
    protected clock: Clock = systemClock
  ) {}

  /** No more is taken. */
  protected get closed(): boolean {
    return this.#closed
  }

  /** How long what was collected may still wait, ms; 0 or less for not at all, undefined when there is nothing. */
  protected abstract wait(): number | undefined

  /** Takes what was collected, or a part of it, and sends it. */
  protected abstract send(): Promise<unknown>

  /** Forgets what was collected. */
  protected abstract forget(): void

  /** To be called when there is more to write. */
  protected collected(): void {
    const wait = this.wait()
    if (wait === undefined || this.#writing !== undefined || this.#closed) {
      return
    }
    if (wait <= 0) {
      this.#start()
    } else if (this.#timer === undefined) {
      this.#timer = this.clock.setTimeout(() => this.#start(), wait)
    }
  }

  /**
   * Takes no more, writes all that was collected at once, and resolves when it is written.
   */
  async finish(): Promise<void> {
    this.#closed = true
    this.#clearTimer()
    while (this.#writing !== undefined || this.wait() !== undefined) {
      this.#start()
      await this.#writing
    }
  }

  /**
   * Takes no more and forgets what was collected: it would be refused.
   */
  drop(): void {
    this.#closed = true
    this.forget()
    this.#clearTimer()
  }

  #start(): void {
    if (this.#writing !== undefined) {
      return
    }
    this.#clearTimer()
    this.#writing = this.#write().then(() => {
      this.#writing = undefined
      this.collected()
    })
  }

  async #write(): Promise<void> {
    try {
      await this.send()
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
