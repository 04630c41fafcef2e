import { E_JOB_NOT_FOUND, E_RESULT_TIMEOUT, JobFailedException } from '../errors.ts'
import { isTerminal } from '../statuses.ts'
import type { ChangeNotice } from '../types.ts'
import { after, type Clock, systemClock } from '../time/long_timer.ts'

/**
 * How a job ended. `result` is JSON text.
 */
export type JobEnding =
  | { status: 'completed'; result: string | null }
  | { status: 'failed' | 'cancelled'; message: string; code: string | null }

/**
 * Where the waiter looks. `endingOf` asks transport and record: null while the job has not ended, `missing` when neither
 * knows it.
 */
export interface EndingSource {
  endingOf(jobId: string, queue: string | null): Promise<JobEnding | null | 'missing'>
  subscribe(listener: (notice: ChangeNotice) => void): Promise<() => void>
}

/**
 * Waits between looks that no notice asked for: notices are fast but may be lost, and none comes while no mirror runs.
 */
const LOOKS = [250, 500, 1_000, 2_000, 5_000]

/**
 * Looks that must find nothing, one after another, before a job counts as gone: its transport may have been removed a
 * moment before its record is there.
 */
const MISSES = 3

/** How long the look that is under way when the time is up may take, ms: what does not answer by then may never do. */
const LAST_LOOK = 1_000

/**
 * Waits for the end of jobs: told by change notices, and looking by itself in growing steps, up to 5 s.
 */
export class ResultWaiter {
  constructor(
    private source: EndingSource,
    private clock: Clock = systemClock
  ) {}

  /**
   * @returns the parsed result; text where it is no JSON
   * @throws JobFailedException, E_RESULT_TIMEOUT, E_JOB_NOT_FOUND
   */
  async wait(jobId: string, queue: string | null, timeout?: number): Promise<unknown> {
    const attention = new Attention(this.clock)
    const stops =
      timeout === undefined
        ? []
        : [
            after(timeout, () => attention.end(), this.clock),
            after(timeout + LAST_LOOK, () => attention.giveUp(), this.clock),
          ]
    let unsubscribe: (() => void) | undefined
    /** Subscribing may take long while Redis is away; the looks go on without it. */
    const subscribing = this.source
      .subscribe((notice) => {
        if (
          notice.more ||
          notice.changed.some((change) => change.id === jobId && isTerminal(change.status))
        ) {
          attention.call()
        }
      })
      .then((stop) => (attention.closed ? stop() : void (unsubscribe = stop)))
      .catch(() => {})

    try {
      return await this.#look(jobId, queue, attention, timeout)
    } finally {
      attention.closed = true
      stops.forEach((stop) => stop())
      unsubscribe?.()
      void subscribing
    }
  }

  async #look(
    jobId: string,
    queue: string | null,
    attention: Attention,
    timeout?: number
  ): Promise<unknown> {
    let misses = 0
    for (let look = 0; ; look++) {
      const ending = await attention.unlessGivenUp(this.#ending(jobId, queue))
      if (ending === 'missing') {
        misses++
        if (misses >= MISSES) {
          throw new E_JOB_NOT_FOUND([jobId])
        }
      } else if (ending !== null) {
        return open(jobId, ending)
      } else {
        misses = 0
      }
      if (attention.ended || !(await attention.wait(LOOKS[Math.min(look, LOOKS.length - 1)]))) {
        throw new E_RESULT_TIMEOUT([jobId, timeout!])
      }
    }
  }

  async #ending(jobId: string, queue: string | null): Promise<JobEnding | null | 'missing'> {
    try {
      return await this.source.endingOf(jobId, queue)
    } catch {
      /** Redis or SQL is away. That says nothing about the job, which ends whether or not we can see it: look again later. */
      return null
    }
  }
}

/**
 * A wait that a notice, the timeout or its own timer ends.
 */
class Attention {
  ended = false
  closed = false
  #called = false
  #wake?: () => void
  #letGo?: () => void

  constructor(private clock: Clock) {}

  /** Asks for a look soon. */
  call(): void {
    this.#called = true
    this.#wake?.()
  }

  /** No further wait. */
  end(): void {
    this.ended = true
    this.#wake?.()
  }

  /** Not even the look that is under way is waited for any more. */
  giveUp(): void {
    this.#letGo?.()
  }

  /** What a look finds; null when it is given up. No race against a promise of the whole wait: that would keep something of every look. */
  unlessGivenUp<Found>(look: Promise<Found>): Promise<Found | null> {
    return new Promise((resolve, reject) => {
      this.#letGo = () => resolve(null)
      look.then(resolve, reject)
    })
  }

  /** @returns false when the time is up */
  async wait(milliseconds: number): Promise<boolean> {
    if (!this.#called && !this.ended) {
      let timer: unknown
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = this.clock.setTimeout(resolve, milliseconds)
      })
      this.clock.clearTimeout(timer)
      this.#wake = undefined
    }
    this.#called = false
    return !this.ended
  }
}

function open(jobId: string, ending: JobEnding): unknown {
  if (ending.status === 'completed') {
    return readResult(ending.result)
  }
  throw new JobFailedException(ending.message, jobId, ending.status, ending.code)
}

/**
 * The value of a result. What is no JSON stays the text that it is: workers in other languages write `NaN`, and a record may hold only the
 * beginning of a result that its database could not take.
 */
export function readResult(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text)
  } catch {
    return text
  }
}
