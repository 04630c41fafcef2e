/** Nothing is kept for longer, ms: not all that a page shows comes with a revision. */
const LONGEST = 1_000

const MOST = 100

type Kept<Value> = { revision: number; at: number; value: Promise<Value> }

/**
 * Values that many viewers of the same page need at the same moment, made once for all of them: while nothing has changed, for a
 * second at most.
 */
export class Shared<Value> {
  #kept = new Map<string, Kept<Value>>()

  /**
   * @param revision  what is asked for has to be at least as new
   * @param stale  how old, in milliseconds, it may be even though the revision moved
   */
  get(key: string, revision: number, make: () => Promise<Value>, stale = 0): Promise<Value> {
    const now = performance.now()
    const kept = this.#kept.get(key)
    if (kept && now - kept.at < (kept.revision === revision ? LONGEST : stale)) return kept.value
    const value = make()
    const entry = { revision, at: now, value }
    this.#kept.delete(key)
    this.#kept.set(key, entry)
    this.#forget(now)
    value.catch(() => {
      if (this.#kept.get(key) === entry) this.#kept.delete(key)
    })
    return value
  }

  /** The oldest stand first. */
  #forget(now: number): void {
    for (const [key, { at }] of this.#kept) {
      if (now - at < LONGEST && this.#kept.size <= MOST) return
      this.#kept.delete(key)
    }
  }
}
