import { cancelled } from './abort_reasons.ts'
import type { Attempt } from './attempt.ts'
import type { ClaimedJob } from './claim.ts'
import { describeThrown, ExitCalledError, type Failure } from './thrown.ts'

/**
 * How an execution went.
 *
 * - `completed`: `result` is JSON
 * - `failed`: `final` means that another attempt would not help, so none is made
 * - `cancelled`, `handed back`: it was told to stop, and did
 * - `postponed`: it waits for an earlier run of its schedule
 * - `lost`: another attempt owns the job; nothing may be written
 */
export type Outcome =
  | { kind: 'completed'; result: string }
  | { kind: 'failed'; failure: Failure; final: boolean; error: unknown }
  | { kind: 'cancelled'; failure: Failure }
  | { kind: 'handed back' }
  | { kind: 'postponed' }
  | { kind: 'lost' }

/** What can be written. */
export type WrittenOutcome = Exclude<Outcome, { kind: 'lost' }>

/** The code of a failure whose process ended by itself. */
export const PROCESS_DIED = 'PROCESS_DIED'

/**
 * A failure that no further attempt can mend.
 */
export function finalFailure(
  code: string | null,
  message: string,
  error?: unknown
): WrittenOutcome {
  return {
    kind: 'failed',
    failure: { code, message, stack: null },
    final: true,
    error: error ?? Object.assign(new Error(message), { code }),
  }
}

/**
 * The failure of an attempt whose code threw where nobody could catch it. Another attempt may fare better.
 */
export function uncaughtFailure(error: unknown): Outcome {
  const { message, stack } = describeThrown(error)
  const failure: Failure =
    error instanceof ExitCalledError
      ? { code: 'EXIT_CALLED', message, stack }
      : {
          code: 'UNCAUGHT_ERROR',
          message: `Nobody caught an error of its code: ${message}`,
          stack,
        }
  return { kind: 'failed', failure, final: false, error }
}

/**
 * Whether the process of an isolated job has ended. While its worker stops that is mostly no doing of the job: service managers signal all
 * processes at once, and one whose application still boots ends of it.
 */
export function diedWithProcess(outcome: Outcome): boolean {
  return outcome.kind === 'failed' && outcome.failure.code === PROCESS_DIED
}

/**
 * What becomes of a claimed job whose code must not run: it was cancelled before, or failed without running.
 */
export function outcomeWithoutRunning(claim: ClaimedJob, maxLosses: number): Outcome | undefined {
  if (claim.cancelRequest !== null) {
    const { code, message } = cancelled(claim.cancelRequest.reason, claim.cancelRequest.by)
    return { kind: 'cancelled', failure: { code, message, stack: null } }
  }
  if (claim.deferredFailure === null) {
    return undefined
  }
  return claim.losses > maxLosses
    ? finalFailure(
        'WORKER_LOST',
        `The workers that ran it were lost ${claim.losses} times; ${maxLosses} are allowed`
      )
    : finalFailure(null, claim.deferredFailure)
}

/**
 * What an aborted attempt comes to, whatever its code made of the signal.
 *
 * @param returned whether the code returned rather than threw: what it finished while its worker stopped counts
 */
export function stoppedOutcome(attempt: Attempt, returned: boolean): Outcome | undefined {
  const reason = attempt.aborted
  if (reason === undefined || (reason.kind === 'shutdown' && returned)) {
    return undefined
  }
  const failure: Failure = { code: reason.code, message: reason.message, stack: null }
  switch (reason.kind) {
    case 'cancelled':
      return { kind: 'cancelled', failure }
    case 'timeout':
      return { kind: 'failed', failure, final: false, error: reason }
    case 'shutdown':
      return { kind: 'handed back' }
    case 'lease lost':
      return { kind: 'lost' }
  }
}
