/**
 * Why a running job's signal was aborted.
 *
 * - `cancelled`: somebody asked for it
 * - `timeout`: the attempt took longer than its timeout
 * - `shutdown`: the worker stops and its grace period is over; the job will be handed back and run again
 * - `lease lost`: Redis no longer counts this execution as the job's owner; whatever it does now is refused
 */
export type AbortKind = 'cancelled' | 'timeout' | 'shutdown' | 'lease lost'

const CODES = {
  'cancelled': 'CANCELLED',
  'timeout': 'TIMED_OUT',
  'shutdown': 'SHUTDOWN',
  'lease lost': 'LEASE_LOST',
} as const

/**
 * The `reason` of a job's signal, and what `signal.throwIfAborted()` throws. Its name is `AbortError`, so that code which
 * treats aborted requests apart from failed ones does so here too.
 */
export class JobAbortedError extends Error {
  override name = 'AbortError'

  /** `CANCELLED`, `TIMED_OUT`, `SHUTDOWN` or `LEASE_LOST`. */
  readonly code: (typeof CODES)[AbortKind]

  constructor(
    readonly kind: AbortKind,
    message: string
  ) {
    super(message)
    this.code = CODES[kind]
  }
}

/**
 * @param reason as the request says; shown on the job's page
 * @param by who asked
 */
export function cancelled(reason?: string | null, by?: string | null): JobAbortedError {
  return new JobAbortedError('cancelled', reason || (by ? `Cancelled by ${by}` : 'Cancelled'))
}

/**
 * @param timeout that was exceeded, ms
 */
export function timedOut(timeout: number): JobAbortedError {
  return new JobAbortedError('timeout', `The attempt took longer than its timeout of ${timeout} ms`)
}

export function shutdown(): JobAbortedError {
  return new JobAbortedError(
    'shutdown',
    'The worker is stopping; the job is handed back and runs again'
  )
}

/**
 * @param detail what Redis said
 */
export function leaseLost(detail: string): JobAbortedError {
  return new JobAbortedError('lease lost', `This execution no longer owns the job: ${detail}`)
}
