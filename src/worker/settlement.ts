import { backoffDelay, DEFAULT_BACKOFF } from '../jobs/backoff.ts'
import type { Clock } from '../time/long_timer.ts'
import { reasonOf } from '../transport/outage.ts'
import type { ClaimedJob } from './claim.ts'
import type { ClaimScripts, Settled } from './claim_scripts.ts'
import type { Outcome, WrittenOutcome } from './outcome.ts'
import type { RedisTrouble } from './redis_trouble.ts'
import { failedReason } from './thrown.ts'

/**
 * Waits between tries while Redis cannot take the end of an attempt, ms.
 */
const RETRY_WAITS = [100, 300, 1_000]

/**
 * Tries of a write that fails although Redis is there: it will not be taken ever. The lease runs out then, and the job runs again,
 * until it has been lost too often.
 */
const MOST_TRIES = 30

/**
 * A run that waits for an earlier one of its schedule is woken when that has ended; without anybody to wake it, it looks by itself
 * after this long, ms.
 */
const POSTPONED = 600_000

/**
 * Writes how attempts ended. While Redis is away, full or read-only it waits and tries again, for as long as it takes: the
 * work was done, and its lease is renewed meanwhile.
 */
export class Settlement {
  #givenUp = false
  #wakes = new Set<() => void>()

  constructor(
    private scripts: ClaimScripts,
    private clock: Clock,
    private trouble: RedisTrouble,
    private random: () => number = Math.random
  ) {}

  /**
   * Whether this outcome ends the job.
   */
  isFinal(job: ClaimedJob, outcome: Outcome): boolean {
    switch (outcome.kind) {
      case 'failed':
        return outcome.final || job.attemptsFailed + 1 >= job.attempts
      case 'completed':
      case 'cancelled':
        return true
      default:
        return false
    }
  }

  /**
   * Writes an outcome.
   *
   * @param claimNext whether the same call may claim the queue's next job, asked when it leaves
   * @throws whatever Redis said last, after `giveUp`
   */
  settle(job: ClaimedJob, outcome: WrittenOutcome, claimNext: () => boolean): Promise<Settled> {
    switch (outcome.kind) {
      case 'completed':
        return this.#persist(() => this.scripts.complete(job, outcome.result, claimNext))
      case 'cancelled':
        return this.#persist(() =>
          this.scripts.fail(job, failedReason(outcome.failure), null, claimNext)
        )
      case 'handed back':
        return this.#persist(() => this.scripts.handBack(job))
      case 'postponed':
        return this.#persist(() => this.scripts.postpone(job, POSTPONED))
      case 'failed': {
        const { failure } = outcome
        const reason = failedReason(failure)
        if (this.isFinal(job, outcome)) {
          return this.#persist(() => this.scripts.fail(job, reason, failure.stack, claimNext))
        }
        const backoff = job.backoff ?? DEFAULT_BACKOFF
        const delay = backoffDelay(backoff, job.attemptsFailed + 1, this.random)
        return this.#persist(() => this.scripts.retry(job, reason, failure.stack, delay))
      }
    }
  }

  /**
   * Ends all trying: the process has to go. The leases run out by themselves, and the jobs are run again.
   */
  giveUp(): void {
    this.#givenUp = true
    for (const wake of this.#wakes) {
      wake()
    }
  }

  async #persist(write: () => Promise<Settled>): Promise<Settled> {
    for (let failures = 0; ; failures++) {
      try {
        const settled = await write()
        if (failures > 0) {
          this.trouble.over()
        }
        return settled
      } catch (error) {
        const hopeless = failures + 1 >= MOST_TRIES && reasonOf(error as Error) === null
        if (this.#givenUp || hopeless) {
          throw error
        }
        this.trouble.noticed(error)
        await this.#pause(RETRY_WAITS[Math.min(failures, RETRY_WAITS.length - 1)])
      }
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.clock.clearTimeout(timer)
        this.#wakes.delete(wake)
        resolve()
      }
      const timer = this.clock.setTimeout(wake, milliseconds)
      this.#wakes.add(wake)
      if (this.#givenUp) {
        wake()
      }
    })
  }
}
