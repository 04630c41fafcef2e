import { backoffDelay, DEFAULT_BACKOFF, type ResolvedBackoff } from '../jobs/backoff.ts'
import type { Clock } from '../time/long_timer.ts'
import type { ClaimedJob } from './claim.ts'
import type { ClaimScripts, Settled } from './claim_scripts.ts'
import type { Outcome } from './outcome.ts'
import type { RedisTrouble } from './redis_trouble.ts'
import { failedReason } from './thrown.ts'

/**
 * Waits between tries while Redis cannot take the end of an attempt, ms.
 */
const RETRY_WAITS = [100, 300, 1_000]

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
   * @param claimNext whether the same call may claim the queue's next job
   * @throws whatever Redis said last, after `giveUp`
   */
  settle(
    job: ClaimedJob,
    outcome: Exclude<Outcome, { kind: 'lost' }>,
    claimNext: boolean
  ): Promise<Settled> {
    switch (outcome.kind) {
      case 'completed':
        return this.#persist(() => this.scripts.complete(job, outcome.result, claimNext))
      case 'cancelled':
        return this.#persist(() =>
          this.scripts.fail(job, failedReason(outcome.failure), null, claimNext)
        )
      case 'handed back':
        return this.#persist(() => this.scripts.handBack(job))
      case 'failed': {
        const { failure } = outcome
        const reason = failedReason(failure)
        if (this.isFinal(job, outcome)) {
          return this.#persist(() => this.scripts.fail(job, reason, failure.stack, claimNext))
        }
        const delay = backoffDelay(backoffOf(job), job.attemptsFailed + 1, this.random)
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
        if (this.#givenUp) {
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

/**
 * The backoff of a job: ours, or what another producer wrote in BullMQ's words, or the default.
 */
export function backoffOf(job: ClaimedJob): ResolvedBackoff {
  if (job.own.backoff !== undefined) {
    return job.own.backoff
  }
  const foreign = job.options.backoff
  if (typeof foreign === 'number') {
    return { type: 'fixed', delay: Math.max(0, foreign) }
  }
  if (
    typeof foreign === 'object' &&
    foreign !== null &&
    (foreign.type === 'fixed' || foreign.type === 'exponential')
  ) {
    return {
      type: foreign.type,
      delay: Math.max(0, Number(foreign.delay) || 0),
      jitter: Number(foreign.jitter) || 0,
    }
  }
  return DEFAULT_BACKOFF
}
