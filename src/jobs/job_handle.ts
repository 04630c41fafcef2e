import { toMilliseconds } from '../durations.ts'
import type { Duration } from '../types.ts'
import { assertMembers } from './names.ts'
import type { ResultWaiter } from './result_waiter.ts'

/**
 * A dispatched job.
 */
export class JobHandle<Result = unknown> {
  #waiter: Pick<ResultWaiter, 'wait'>

  /**
   * @param queue and `type` are null where only the id is known
   * @param duplicate  Nothing was dispatched: this is the job that has the unique key.
   */
  constructor(
    readonly jobId: string,
    readonly queue: string | null,
    readonly type: string | null,
    waiter: Pick<ResultWaiter, 'wait'>,
    readonly duplicate = false
  ) {
    this.#waiter = waiter
  }

  /**
   * Waits until the job has ended and gives its result.
   *
   * @param options.timeout longest wait, of any length; without one it waits for ever
   * @throws JobFailedException when it failed or was cancelled, E_RESULT_TIMEOUT, E_JOB_NOT_FOUND; E_INVALID_OPTION at once
   */
  result(options: { timeout?: Duration } = {}): Promise<Result> {
    assertMembers(options, 'result', ['timeout'])
    const { timeout } = options
    const longest = timeout === undefined ? undefined : toMilliseconds(timeout, 'timeout')
    return this.#waiter.wait(this.jobId, this.queue, longest) as Promise<Result>
  }

  toJSON(): { jobId: string; queue: string | null; type: string | null; duplicate: boolean } {
    const { jobId, queue, type, duplicate } = this
    return { jobId, queue, type, duplicate }
  }
}
