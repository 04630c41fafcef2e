import { CHECKPOINT_LIMITS } from '../jobs/checkpoints.ts'
import { after } from '../time/long_timer.ts'
import type { CheckpointAnswer } from '../transport/checkpoints.ts'
import { reasonOf } from '../transport/outage.ts'
import type { Attempt, Checkpoint } from './attempt.ts'
import type { WorkerRuntime } from './runtime.ts'

/**
 * Pause between tries while Redis cannot take a checkpoint, or give them, ms.
 */
const RETRY_WAIT = 500

/**
 * Reads and writes the checkpoints of one queue's attempts. A Redis that is away, full or read-only is waited for, until the attempt's
 * signal is aborted: work that was done is not to be lost for it.
 */
export class CheckpointKeeper {
  constructor(
    private queue: string,
    private runtime: WorkerRuntime
  ) {}

  /**
   * @throws the reason of the signal, when it was aborted while Redis could not take it
   */
  keep(attempt: Attempt, { name, json }: Checkpoint): Promise<CheckpointAnswer> {
    const { token, attempt: number, id } = attempt.claim
    const write = { token, attempt: number, name, json }
    return this.#insist(attempt, () =>
      this.runtime.checkpoints.keep(this.queue, id, write, CHECKPOINT_LIMITS)
    )
  }

  /**
   * Lends an attempt what the ones before it have kept. The first one of a run has nothing, and asks for nothing.
   *
   * @throws the reason of the signal, when it was aborted while Redis could not be read
   */
  async lend(attempt: Attempt): Promise<void> {
    if (attempt.claim.attempt > 1) {
      const { id } = attempt.claim
      const kept = await this.#insist(attempt, () => this.runtime.checkpoints.read(this.queue, id))
      if (kept.size > 0) attempt.checkpoints = kept
    }
  }

  async #insist<Answer>(attempt: Attempt, ask: () => Promise<Answer>): Promise<Answer> {
    const { trouble, clock } = this.runtime
    for (let failures = 0; ; failures++) {
      try {
        const answer = await ask()
        if (failures > 0) trouble.over()
        return answer
      } catch (error) {
        if (reasonOf(error as Error) === null) throw error
        trouble.noticed(error)
      }
      if (attempt.aborted !== undefined) throw attempt.aborted
      await new Promise<void>((resolve) => after(RETRY_WAIT, resolve, clock))
    }
  }
}
