import { setTimeout as pause } from 'node:timers/promises'
import { Child, type ChildOptions } from './child.ts'
import { say, StartError } from './messages.ts'

/** A child that ends by itself more often than this within a minute is given up. */
const MOST_RESTARTS = 5
const MINUTE = 60_000

/**
 * Keeps one child running: one that ends by itself (out of memory, killed) is started again.
 */
export class KeptChild {
  readonly name: string
  readonly #options: ChildOptions
  readonly #onChange: () => void
  #child: Child
  #isStopping = false
  #restarts: number[] = []
  readonly #gaveUp = Promise.withResolvers<never>()

  /**
   * @param onChange  Called when another process has taken the place of the first.
   */
  constructor(options: ChildOptions, onChange: () => void) {
    this.name = options.name
    this.#options = options
    this.#onChange = onChange
    this.#child = new Child(options)
    this.#gaveUp.promise.catch(() => {})
    void this.#keep()
  }

  /** Rejects with a StartError when the child ends again and again. */
  get gaveUp(): Promise<never> {
    return this.#gaveUp.promise
  }

  get child(): Child {
    return this.#child
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#child.stop()
  }

  async #keep(): Promise<void> {
    while (true) {
      const { code, signal } = await this.#child.ended
      if (this.#isStopping) return
      const now = Date.now()
      this.#restarts = [...this.#restarts.filter((at) => at > now - MINUTE), now]
      const how = signal ?? `exit code ${code}`
      if (this.#restarts.length > MOST_RESTARTS) {
        const { complaint, log } = this.#child
        const why = complaint === null ? how : `${how}: ${complaint}`
        this.#gaveUp.reject(
          new StartError(`The ${this.name} ends again and again (${why}); see ${log}.`)
        )
        return
      }
      say(`The ${this.name} ended by itself (${how}): starting it again`)
      await pause(500)
      if (this.#isStopping) return
      this.#child = new Child(this.#options)
      this.#onChange()
    }
  }
}
