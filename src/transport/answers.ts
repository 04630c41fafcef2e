import { Deadlines } from '../time/deadlines.ts'
import { type Clock, systemClock } from '../time/long_timer.ts'

/** With what `within` rejects when the deadline came first. */
export const UNANSWERED = Symbol('unanswered')

/** With what it rejects when the connection broke that the answer would have come by. */
export const BROKEN_OFF = Symbol('broken off')

type Waiting = { deadline: number; overdue(): void; end(why: symbol): void }

/** Does not keep a process alive: the connection that owes the answer does. */
const unrefClock: Clock = {
  ...systemClock,
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds).unref(),
}

/**
 * Waits for answers, each no longer than its deadline, with one timer for all of them: a timer each would cost a dispatch
 * more than the writing of its command.
 */
export class Answers {
  #waiting = new Set<Waiting>()

  #deadlines = new Deadlines(() => this.#waiting, unrefClock)

  /** No answer comes any more. */
  breakOff(): void {
    for (const waiting of [...this.#waiting]) waiting.end(BROKEN_OFF)
  }

  /** The answer, or a rejection with UNANSWERED when there is none after so many milliseconds. */
  within<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        deadline: unrefClock.now() + milliseconds,
        overdue: () => waiting.end(UNANSWERED),
        end: (why) => {
          this.#waiting.delete(waiting)
          reject(why)
        },
      }
      this.#waiting.add(waiting)
      this.#deadlines.watch(waiting.deadline)
      answer.then(
        (value) => {
          this.#waiting.delete(waiting)
          resolve(value)
        },
        (error: unknown) => {
          this.#waiting.delete(waiting)
          reject(error)
        }
      )
    })
  }
}
