import { setImmediate } from 'node:timers/promises'
import type { Attempt } from './attempt.ts'
import { cancelled } from './abort_reasons.ts'
import type { ClaimedJob } from './claim.ts'
import type { ClaimScripts } from './claim_scripts.ts'
import type { WorkerRuntime } from './runtime.ts'
import type { Settlement } from './settlement.ts'

const never = () => false

/**
 * Jobs that Redis has given to this worker in an answer that was lost with the connection. The call was sent again, which brought another
 * job or none: nobody runs these, and when their leases end they would count as lost although their worker lives.
 */
export class Orphans {
  constructor(
    private queue: string,
    private runtime: WorkerRuntime,
    private scripts: ClaimScripts,
    private settlement: Settlement,
    private attempts: ReadonlySet<Attempt>
  ) {}

  /**
   * Hands them back.
   *
   * @returns how many there were
   */
  async handBack(): Promise<number> {
    const held = await this.scripts.held()
    /** A claim that Redis had made by then may be answered later, and becomes an attempt in the turn after its answer. */
    await this.scripts.answered()
    await setImmediate()
    const settled = await Promise.all(
      held.filter((claim) => !this.#isRun(claim)).map((claim) => this.#handBack(claim))
    )
    return settled.filter(Boolean).length
  }

  #isRun({ id, token, attempt }: ClaimedJob): boolean {
    for (const { claim } of this.attempts) {
      if (claim.id === id && claim.token === token && claim.attempt === attempt) return true
    }
    return false
  }

  /** An attempt that has just ended by itself is left alone: its job is no longer held. */
  async #handBack(claim: ClaimedJob): Promise<boolean> {
    let settled = await this.settlement.settle(claim, { kind: 'handed back' }, never)
    if ('refused' in settled && settled.refused === 'cancel requested') {
      const { code, message } = cancelled()
      const failure = { code, message, stack: null }
      settled = await this.settlement.settle(claim, { kind: 'cancelled', failure }, never)
    }
    if ('refused' in settled) return false
    this.runtime.logger.warn(
      { jobId: claim.id, jobType: claim.type, queue: this.queue },
      'A job was given to this worker in an answer that was lost; it was handed back'
    )
    return true
  }
}
