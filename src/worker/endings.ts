import { cancelled } from './abort_reasons.ts'
import type { Attempt } from './attempt.ts'
import type { ClaimReply, Refusal, Settled } from './claim_scripts.ts'
import type { Leases } from './leases.ts'
import { finalFailure, type Outcome, stoppedOutcome, type WrittenOutcome } from './outcome.ts'
import type { WorkerRuntime } from './runtime.ts'
import type { Settlement } from './settlement.ts'
import type { SlotHolder } from './slots.ts'

/**
 * What was written at the end of an attempt; `taken` is null when Redis refused it, for the job is another's. `next` is the queue's next
 * job, if the same call claimed one.
 */
export type Ending = { taken: WrittenOutcome | null; next: ClaimReply | null }

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
   *
   * @returns whether it was handed back
   */
  async stopEarly(attempt: Attempt): Promise<boolean> {
    await attempt.process?.kill()
    const outcome = stoppedOutcome(attempt, false) ?? { kind: 'handed back' }
    await this.settleEarly(attempt, outcome)
    return outcome.kind === 'handed back' && (await attempt.ending)?.taken === outcome
  }

  async #settle(attempt: Attempt, outcome: Outcome, mayClaim: boolean): Promise<ClaimReply | null> {
    if (outcome.kind === 'lost') {
      return null
    }
    attempt.ending = this.#write(attempt, outcome, mayClaim)
    const { taken, next } = await attempt.ending
    if (taken?.kind === 'failed' && this.#hasHook(attempt, taken)) {
      attempt.settledEarly ??= Promise.resolve(null)
      if (!(await this.#isCancelled(attempt)))
        await this.runtime.execution.hearFailed(attempt, taken.failure, taken.error)
    }
    return next
  }

  async #write(attempt: Attempt, outcome: WrittenOutcome, mayClaim: boolean): Promise<Ending> {
    const { claim } = attempt
    const { slots } = this.runtime
    const hook = this.#hasHook(attempt, outcome)
    /** A job claimed now would wait for the hook. */
    const mayContinue = mayClaim && !hook && this.settlement.isFinal(claim, outcome)
    let continues = false
    let brought = false
    let settled: Settled
    try {
      settled = await this.settlement.settle(claim, outcome, () => {
        if (!mayContinue || this.host.isDraining) return false
        return (continues ||= slots.mayContinue(this.host))
      })
      brought = 'next' in settled && settled.next !== null && settled.next.values !== null
    } finally {
      if (continues) slots.claimed(brought)
    }

    /** What an attempt holds nobody else ends or removes: the end was taken, its answer lost, and the job removed before it was sent again. */
    if (hook && 'refused' in settled && settled.refused === 'gone' && attempt.leaseLeft > 0) {
      settled = { next: null }
    }
    if ('refused' in settled) return this.#refused(attempt, settled.refused)
    return { taken: outcome, next: settled.next }
  }

  #hasHook(attempt: Attempt, outcome: WrittenOutcome): boolean {
    return (
      outcome.kind === 'failed' &&
      this.settlement.isFinal(attempt.claim, outcome) &&
      this.runtime.execution.hasFailedHook(attempt)
    )
  }

  /** Whether that was asked for, of a job whose code failed before it heard of it: then it has ended so. */
  async #isCancelled({ claim }: Attempt): Promise<boolean> {
    return (await this.runtime.cancelRequest(this.queue, claim.id).catch(() => null)) !== null
  }

  async #refused(attempt: Attempt, why: Refusal): Promise<Ending> {
    if (why === 'cancel requested') {
      const { code, message } =
        attempt.aborted?.kind === 'cancelled' ? attempt.aborted : cancelled()
      const failure = { code, message, stack: null }
      return this.#write(attempt, { kind: 'cancelled', failure }, false)
    }
    if (why === 'children') {
      const message = 'Its code returned before the children that it waits for had all completed'
      return this.#write(attempt, finalFailure('CHILDREN_UNFINISHED', message), false)
    }
    this.leases.lose(attempt, 'Redis refused its end')
    return { taken: null, next: null }
  }
}
