import type { Failure } from './thrown.ts'

/**
 * How an execution went.
 *
 * - `completed`: `result` is JSON
 * - `failed`: `final` means that another attempt would not help, so none is made
 * - `cancelled`, `handed back`: it was told to stop, and did
 * - `lost`: another attempt owns the job; nothing may be written
 */
export type Outcome =
  | { kind: 'completed'; result: string }
  | { kind: 'failed'; failure: Failure; final: boolean; error: unknown }
  | { kind: 'cancelled'; failure: Failure }
  | { kind: 'handed back' }
  | { kind: 'lost' }

/**
 * A failure that no further attempt can mend.
 */
export function finalFailure(code: string | null, message: string, error?: unknown): Outcome {
  return {
    kind: 'failed',
    failure: { code, message, stack: null },
    final: true,
    error: error ?? Object.assign(new Error(message), { code }),
  }
}
