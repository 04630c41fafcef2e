import { AssertionError } from 'node:assert'
import type { JobClass } from './job.ts'
import type { ResolvedDispatchOptions } from './options.ts'
import { typeName } from './type_name.ts'

/**
 * One dispatch that a fake took: checked like any other, but sent nowhere.
 */
export type FakeDispatch<Payload = any> = {
  jobId: string
  type: string
  queue: string
  /** The payload after its way through JSON. */
  payload: Payload
  options: ResolvedDispatchOptions
}

type Predicate = (dispatch: FakeDispatch) => boolean

/**
 * Takes the place of Redis in tests: dispatches are checked and recorded.
 */
export class FakeQueue {
  #dispatches: FakeDispatch[] = []

  constructor(private onRestore: () => void) {}

  /** Keeps a dispatch. Called by the manager. */
  record(dispatch: FakeDispatch): void {
    this.#dispatches.push(dispatch)
  }

  /** Every dispatch so far, or those of one type, in order. */
  dispatches(type?: JobClass | string): FakeDispatch[] {
    const name = type === undefined ? undefined : nameOf(type)
    return this.#dispatches.filter((dispatch) => name === undefined || dispatch.type === name)
  }

  /** Forgets what was recorded. */
  clear(): void {
    this.#dispatches = []
  }

  /** Ends the fake: later dispatches go to Redis. */
  restore(): void {
    this.onRestore()
  }

  /**
   * A job of the type was dispatched: at least once, exactly so many times, or at least once as the predicate says.
   *
   * @throws AssertionError
   */
  assertDispatched(type: JobClass | string, expected?: number | Predicate): void {
    const name = nameOf(type)
    const found = this.dispatches(type)
    if (typeof expected === 'number') {
      check(
        found.length === expected,
        `Expected "${name}" to be dispatched ${times(expected)}, but it was ${times(found.length)}`,
        found.length,
        expected
      )
    } else if (expected !== undefined) {
      check(
        found.some(expected),
        `Expected a dispatch of "${name}" that fits, but none of its ${found.length} dispatches does`
      )
    } else {
      check(
        found.length > 0,
        `Expected "${name}" to be dispatched, but it was not. Dispatched: ${this.#summary()}`
      )
    }
  }

  /**
   * No job of the type was dispatched, or none that fits the predicate.
   *
   * @throws AssertionError
   */
  assertNotDispatched(type: JobClass | string, predicate: Predicate = () => true): void {
    const found = this.dispatches(type).filter(predicate)
    check(
      found.length === 0,
      `Expected "${nameOf(type)}" not to be dispatched, but it was ${times(found.length)}`
    )
  }

  /**
   * Nothing was dispatched.
   *
   * @throws AssertionError
   */
  assertNothingDispatched(): void {
    check(
      this.#dispatches.length === 0,
      `Expected no dispatch, but there were some: ${this.#summary()}`
    )
  }

  /**
   * Exactly so many jobs were dispatched, of all types.
   *
   * @throws AssertionError
   */
  assertDispatchedCount(expected: number): void {
    const { length } = this.#dispatches
    check(
      length === expected,
      `Expected ${expected} dispatches, but there were ${length}`,
      length,
      expected
    )
  }

  #summary(): string {
    return [...new Set(this.#dispatches.map((dispatch) => dispatch.type))].join(', ') || 'nothing'
  }
}

function nameOf(type: JobClass | string): string {
  return typeof type === 'string' ? type : typeName(type)
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function check(holds: boolean, message: string, actual?: unknown, expected?: unknown): void {
  if (!holds) {
    throw new AssertionError({ message, actual, expected, stackStartFn: check })
  }
}
