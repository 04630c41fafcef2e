import type { RedisQueueBackend } from 'bullmq'
import { cancelled, leaseLost } from './abort_reasons.ts'
import type { Attempt } from './attempt.ts'
import type { WorkerRuntime } from './runtime.ts'

/**
 * How many cancellations are remembered whose job does not run here: nearly all are of jobs of other workers.
 */
const REMEMBERED = 1_000

/**
 * The leases of one queue's running attempts: renewed in time, and aborted where Redis no longer knows them. What else only Redis can
 * tell a running attempt is looked up here too: whether its cancellation was asked for.
 */
export class Leases {
  #renewing = false

  /** Jobs whose cancellation was heard of while they did not run here: the answer that brings one may be on its way, made before it. */
  #heardEarly = new Set<string>()

  constructor(
    private queue: string,
    private runtime: WorkerRuntime,
    private backend: Pick<RedisQueueBackend, 'extendLocks'>,
    private attempts: ReadonlySet<Attempt>
  ) {}

  /**
   * Renews the leases that are due, and looks whether a cancellation was asked for whose message did not arrive.
   */
  async renew(): Promise<void> {
    const { lease, clock, trouble } = this.runtime
    const now = clock.now()
    this.#loseOverdue()
    const due = this.#owners().filter((attempt) => now - attempt.renewedAt >= lease / 4)
    if (due.length === 0 || this.#renewing) {
      return
    }
    this.#renewing = true
    try {
      const lost = await this.backend.extendLocks(
        due.map(({ claim }) => claim.id),
        due.map(({ claim }) => claim.token),
        lease
      )
      trouble.over()
      for (const attempt of due) {
        if (lost.includes(attempt.claim.id)) {
          this.lose(attempt, 'its lease could not be renewed')
        } else {
          attempt.renewed(now)
        }
      }
      await this.#checkCancelRequests(due)
    } catch (error) {
      trouble.noticed(error)
    } finally {
      this.#renewing = false
    }
  }

  /**
   * Whether an attempt that is about to begin holds its job. That is asked again when so much time went since its lease was last renewed
   * that it may have run out: this process may have been held up with the answer already there, and another worker may run the job.
   */
  holds(attempt: Attempt): true | Promise<boolean> {
    if (attempt.aborted?.kind === 'lease lost') {
      return Promise.resolve(false)
    }
    const { lease, clock } = this.runtime
    const isFresh = clock.now() - attempt.renewedAt < lease / 2
    return isFresh || this.#stillHolds(attempt)
  }

  async #stillHolds(attempt: Attempt): Promise<boolean> {
    const { lease, clock, trouble } = this.runtime
    const now = clock.now()
    try {
      const { id, token } = attempt.claim
      const lost = await this.backend.extendLocks([id], [token], lease)
      if (lost.length === 0 && clock.now() - now < lease) {
        attempt.renewed(now)
        return true
      }
    } catch (error) {
      trouble.noticed(error)
    }
    this.lose(attempt, 'its lease ran out before its code began')
    return false
  }

  /**
   * Somebody asked to cancel a job. Whether and why is read from the job itself: the message may be late.
   */
  async cancelRequested(jobId: string): Promise<void> {
    const attempts = [...this.attempts].filter(({ claim }) => claim.id === jobId)
    if (attempts.length > 0) return this.#checkCancelRequests(attempts)
    this.#heardEarly.add(jobId)
    if (this.#heardEarly.size > REMEMBERED) {
      const [oldest] = this.#heardEarly
      this.#heardEarly.delete(oldest)
    }
  }

  /**
   * An attempt is there. What was heard of its job before is looked up.
   */
  began(attempt: Attempt): void {
    if (this.#heardEarly.size === 0 || !this.#heardEarly.delete(attempt.claim.id)) return
    this.#checkCancelRequests([attempt]).catch((error) => this.runtime.trouble.noticed(error))
  }

  /**
   * Messages may have been missed: looks whether a cancellation of any running attempt was asked for.
   */
  checkAll(): Promise<void> {
    return this.#checkCancelRequests(this.#owners())
  }

  /**
   * Takes note that an attempt no longer owns its job.
   */
  lose(attempt: Attempt, detail: string): void {
    const { id, type, attempt: number } = attempt.job
    attempt.abort(leaseLost(detail))
    this.runtime.logger.warn(
      { jobId: id, jobType: type, attempt: number },
      `An attempt no longer owns its job (${detail}); what it does from now on is dropped`
    )
  }

  /**
   * The attempts that own their jobs, as far as this process knows. One that comes after another of the same job has taken its place: this
   * process was held up for longer than the lease, and the job came back to it. Redis answers by job, so they are never asked for together.
   */
  #owners(): Attempt[] {
    const owners = new Map<string, Attempt>()
    for (const attempt of this.attempts) {
      if (attempt.settledEarly !== undefined || attempt.aborted?.kind === 'lease lost') {
        continue
      }
      const replaced = owners.get(attempt.claim.id)
      owners.set(attempt.claim.id, attempt)
      if (replaced !== undefined) {
        this.lose(replaced, 'its next attempt runs already')
      }
    }
    return [...owners.values()]
  }

  /** Without waiting for Redis to say so. */
  #loseOverdue(): void {
    for (const attempt of this.#owners()) {
      if (attempt.leaseLeft < 0) {
        this.lose(attempt, 'Redis could not be asked to renew its lease in time')
      }
    }
  }

  async #checkCancelRequests(attempts: Attempt[]): Promise<void> {
    const requests = await Promise.all(
      attempts.map(({ claim }) => this.runtime.cancelRequest(this.queue, claim.id))
    )
    requests.forEach((request, index) => {
      if (request !== null) {
        attempts[index].abort(cancelled(request.reason, request.by))
      }
    })
  }
}
