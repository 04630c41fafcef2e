import type { Clock } from '../time/long_timer.ts'

/**
 * Calls that may be on their way at once. Measured with jobs of 5 ms, 50 at once: 2 % fewer jobs with 8 of them, 8 % fewer with 24, 6 % fewer
 * with 2.
 */
export const LEAST = 5

/** How long calls may be held back without a pause, ms: then they come faster than so few at a time are answered, or Redis says nothing. */
export const PRESSED = 20

/** Once nothing has been on its way for so long, ms, that is over. */
export const IDLE = 1

/**
 * Lets the calls that end jobs leave in small groups. Jobs of one length that end together would go on doing so for ever: Redis answers a
 * connection when it has executed all that has arrived on it, so each of them would wait for all, and begin its next job when they do. In small
 * groups the answers come one after the other, and the jobs spread: 50 at once that wait for 5 ms became a quarter more.
 *
 * Where calls come faster, Redis or this process is the bottleneck, and large groups cost both the least; or Redis is so far away that a few
 * at a time leave it idle; or it stands still, and what has left by then is written even when this process does not live to see it. Then
 * nothing is held back.
 */
export class SendWindow {
  /** Calls that may be on their way. */
  #size = LEAST
  /** Calls that are. */
  #underWay = 0
  /** Those that wait for their turn, in the order in which they came. */
  #held: (() => void)[] = []
  /** Runs while calls are held back. */
  #patience: unknown
  /** Since when nothing is on its way, by the clock. */
  #idleSince = Number.NEGATIVE_INFINITY
  #isOpen = false

  constructor(private clock: Clock) {}

  /**
   * Makes a call when it is its turn: calls leave in the order in which they come here.
   */
  send<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (this.#underWay === 0 && !this.#isOpen && this.clock.now() - this.#idleSince >= IDLE) {
      this.#size = LEAST
    }
    if (this.#underWay < this.#size) return this.#send(call)
    if (this.#held.length === 0) {
      this.#patience = this.clock.setTimeout(() => this.#holdNothing(), PRESSED)
    }
    return new Promise((resolve) => this.#held.push(() => resolve(this.#send(call))))
  }

  /**
   * Lets all leave from now on: nobody waits for his next job any more.
   */
  open(): void {
    this.#isOpen = true
    this.#holdNothing()
  }

  async #send<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    this.#underWay++
    try {
      return await call()
    } finally {
      this.#underWay--
      this.#release()
      if (this.#underWay === 0) this.#idleSince = this.clock.now()
    }
  }

  #holdNothing(): void {
    this.#size = Number.POSITIVE_INFINITY
    this.#release()
  }

  #release(): void {
    if (this.#held.length === 0) return
    while (this.#underWay < this.#size && this.#held.length > 0) this.#held.shift()!()
    if (this.#held.length === 0) this.clock.clearTimeout(this.#patience)
  }
}
