import type { CheckpointAnswer } from '../../transport/checkpoints.ts'
import type { LogEntry } from '../../transport/types.ts'
import type { Progress } from '../../types.ts'
import type { AbortKind } from '../abort_reasons.ts'
import type { ClaimedJob } from '../claim.ts'
import type { Outcome } from '../outcome.ts'
import type { Failure } from '../thrown.ts'

/**
 * What is said between a worker and a process that runs isolated jobs, as JSON over Node's channel. Application code can write into that
 * channel too, so every message carries our mark, and whoever reads one takes nothing else of it for granted.
 *
 * A `turn` is one use of the process: an execution, and its `failed` hook where there is one. What belongs to an earlier turn is ignored.
 */
export type ToProcess =
  | {
      queuedeck: 'run'
      turn: number
      queue: string
      claim: IsolatedClaim
      /** What earlier attempts have kept: names and JSON. */
      checkpoints: [name: string, json: string][]
    }
  | {
      queuedeck: 'abort'
      turn: number
      kind: AbortKind
      message: string
    }
  | { queuedeck: 'written'; turn: number; report: number; accepted: boolean; error?: string }
  | {
      queuedeck: 'kept'
      turn: number
      report: number
      answer: CheckpointAnswer | null
      error?: string
    }
  | {
      queuedeck: 'hook'
      turn: number
      queue: string
      claim: IsolatedClaim
      checkpoints: [name: string, json: string][]
      failure: Failure
    }
  | { queuedeck: 'end' }

/**
 * - `ready`: the application has booted
 * - `begins`: whether the code may begin now, answered by `written`
 * - `report`: progress and log lines, answered by `written`
 * - `checkpoint`: what the job wants to keep, answered by `kept`
 * - `threw`: an error that nobody caught, right before the process dies of it
 */
export type ToWorker =
  | { queuedeck: 'ready' }
  | { queuedeck: 'begins'; turn: number; report: number }
  | { queuedeck: 'report'; turn: number; report: number; progress?: Progress; log?: LogEntry[] }
  | { queuedeck: 'checkpoint'; turn: number; report: number; name: unknown; json: unknown }
  | { queuedeck: 'ended'; turn: number; outcome: IsolatedOutcome }
  | { queuedeck: 'hook ended'; turn: number }
  | { queuedeck: 'threw'; failure: Failure }

/** A claim without its token: only the worker writes. */
export type IsolatedClaim = Omit<ClaimedJob, 'token'>

/** An outcome without the value that was thrown, which stays where it was. */
export type IsolatedOutcome =
  Exclude<Outcome, { kind: 'failed' }> | { kind: 'failed'; failure: Failure; final: boolean }

/**
 * The message of ours in whatever came through the channel; undefined for everything else.
 */
export function readMessage<Message extends ToProcess | ToWorker>(
  value: unknown
): Message | undefined {
  const mark =
    typeof value === 'object' && value !== null
      ? (value as { queuedeck?: unknown }).queuedeck
      : undefined
  return typeof mark === 'string' ? (value as Message) : undefined
}

/**
 * What a process says its code came to. Code that wrote such a message itself has failed.
 */
export function readOutcome(value: unknown): IsolatedOutcome {
  const outcome = (value ?? {}) as { kind?: unknown; result?: unknown; final?: unknown }
  if (outcome.kind === 'completed' && typeof outcome.result === 'string') {
    return { kind: 'completed', result: outcome.result }
  }
  if (outcome.kind === 'lost') {
    const message = 'Its process heard nothing of its worker for as long as a lease lasts'
    return { kind: 'failed', failure: { code: 'LEASE_LOST', message, stack: null }, final: false }
  }
  const failure = readFailure((value as { failure?: unknown } | null)?.failure)
  return { kind: 'failed', failure, final: outcome.final === true }
}

export function readFailure(value: unknown): Failure {
  const { code, message, stack } = (value ?? {}) as Record<string, unknown>
  return {
    code: typeof code === 'string' ? code : null,
    message: typeof message === 'string' && message !== '' ? message : 'It did not say why',
    stack: typeof stack === 'string' ? stack : null,
  }
}
