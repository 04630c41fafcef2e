import { performance } from 'node:perf_hooks'

/** Work goes on this long before others get a turn; ms. */
const LONGEST = 8

/**
 * Lets a long computation share its process: the event loop gets a turn often, and the signal is asked at each item.
 *
 * ```ts
 * for (const chunk of chunks) {
 *   if (turns.due()) await turns.give()
 * }
 * ```
 */
export class Turns {
  #since = performance.now()

  constructor(private signal: AbortSignal) {}

  /**
   * Whether it is time for others.
   *
   * @throws the signal's reason
   */
  due(): boolean {
    this.signal.throwIfAborted()
    return performance.now() - this.#since > LONGEST
  }

  /** Gives others their turn. */
  async give(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.signal.throwIfAborted()
    this.#since = performance.now()
  }
}

/** Items that are visited before it is asked whether it is time for others. */
const STEP = 512

/** Visits the items in their order; others get a turn in between. */
export async function visited<Item>(
  items: Iterable<Item>,
  turns: Turns,
  visit: (item: Item, index: number) => void
): Promise<void> {
  let index = 0
  for (const item of items) {
    if (index % STEP === 0 && turns.due()) await turns.give()
    visit(item, index++)
  }
}
