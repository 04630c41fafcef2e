import { cancelled } from './abort_reasons.ts'
import type { Attempt } from './attempt.ts'
import type { ClaimReply, Refusal, Settled } from './claim_scripts.ts'
import type { Leases } from './leases.ts'
import { finalFailure, type Outcome, stoppedOutcome } from './outcome.ts'
import type { WorkerRuntime } from './runtime.ts'
import type { Settlement } from './settlement.ts'
import type { SlotHolder } from './slots.ts'

/** What ending an attempt has to know of the worker that ran it. */
export type EndingHost = SlotHolder & {
  /** Claims nothing more. */
  readonly isDraining: boolean
}

/**
 * Ends the attempts of one queue's worker: writes how they ended, does what follows from a refusal, calls the `failed` hook, and brings the
 * queue's next job where the same call may claim it.
 */
export class Endings {
  constructor(
    private queue: string,
    private runtime: WorkerRuntime,
    private settlement: Settlement,
    private leases: Leases,
    private host: EndingHost
  ) {}

  /**
   * Ends an attempt whose code has returned.
   *
   * @returns the queue's next job, if the same call claimed one
   */
  settle(attempt: Attempt, outcome: Outcome): Promise<ClaimReply | null> {
    return this.#settle(attempt, outcome, true)
  }

  /**
   * Ends an attempt whose code still runs; its slot takes no other job.
   */
  async settleEarly(attempt: Attempt, outcome: Outcome): Promise<null> {
    await attempt.close()
    await this.#settle(attempt, outcome, false)
    return null
  }

  /**
   * Ends an attempt because the worker stops: its job is handed back, unless it was told to stop before.
   */
  async stopEarly(attempt: Attempt): Promise<null> {
    await attempt.process?.kill()
    return this.settleEarly(attempt, stoppedOutcome(attempt, false) ?? { kind: 'handed back' })
  }

  async #settle(attempt: Attempt, outcome: Outcome, mayClaim: boolean): Promise<ClaimReply | null> {
    const { claim } = attempt
    if (outcome.kind === 'lost') {
      return null
    }
    const { execution, slots } = this.runtime
    const final = this.settlement.isFinal(claim, outcome)
    const hook = outcome.kind === 'failed' && final && execution.hasFailedHook(attempt)
    /** A job claimed now would wait for the hook. */
    const claimNext =
      mayClaim && final && !hook && !this.host.isDraining && slots.mayContinue(this.host)
    let settled: Settled
    try {
      settled = await this.settlement.settle(claim, outcome, claimNext)
    } catch (error) {
      if (claimNext) {
        slots.claimed(false)
      }
      throw error
    }

    /** What an attempt holds nobody else ends or removes: the end was taken, its answer lost, and the job removed before it was sent again. */
    if (hook && 'refused' in settled && settled.refused === 'gone' && attempt.leaseLeft > 0) {
      settled = { next: null }
    }
    if ('refused' in settled) {
      if (claimNext) slots.claimed(false)
      return this.#refused(attempt, settled.refused)
    }
    if (claimNext) {
      slots.claimed(settled.next !== null && settled.next.values !== null)
    }
    if (hook) {
      attempt.settledEarly ??= Promise.resolve(null)
      if (!(await this.#isCancelled(attempt)))
        await execution.hearFailed(attempt, outcome.failure, outcome.error)
    }
    return settled.next
  }

  /** Whether that was asked for, of a job whose code failed before it heard of it: then it has ended so. */
  async #isCancelled({ claim }: Attempt): Promise<boolean> {
    return (await this.runtime.cancelRequest(this.queue, claim.id).catch(() => null)) !== null
  }

  async #refused(attempt: Attempt, why: Refusal): Promise<null> {
    if (why === 'cancel requested') {
      const { code, message } =
        attempt.aborted?.kind === 'cancelled' ? attempt.aborted : cancelled()
      const failure = { code, message, stack: null }
      await this.#settle(attempt, { kind: 'cancelled', failure }, false)
    } else if (why === 'children') {
      const message = 'Its code returned before the children that it waits for had all completed'
      await this.#settle(attempt, finalFailure('CHILDREN_UNFINISHED', message), false)
    } else {
      this.leases.lose(attempt, 'Redis refused its end')
    }
    return null
  }
}
