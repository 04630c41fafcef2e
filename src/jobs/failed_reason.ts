import type { JobError } from '../types.ts'

/** Workers of others write the empty message of an error as it is. */
const NO_MESSAGE = 'Failed without a message'

/**
 * Splits `[CODE] message`, as workers write errors that have a code into BullMQ's `failedReason`. The message is never empty.
 */
export function readError(failedReason: string | null | undefined): JobError {
  const text = failedReason ?? ''
  if (text.charCodeAt(0) === 91) {
    const match = /^\[([A-Z][A-Z0-9_]{0,99})\] ?/.exec(text)
    if (match) return { code: match[1], message: orNone(text.slice(match[0].length)) }
  }
  return { code: null, message: orNone(text) }
}

function orNone(message: string): string {
  return message.trim() === '' ? NO_MESSAGE : message
}

type CancelledFacts = { state: string; failedReason: string | null; cancelRequest: string | null }

/**
 * Why a job was cancelled. Until its code has returned only the request tells: `failedReason` is of an attempt before.
 */
export function readCancellation({ state, failedReason, cancelRequest }: CancelledFacts): JobError {
  if (state === 'failed' && failedReason !== null) return readError(failedReason)
  const { by, reason } = readRequest(cancelRequest)
  return { code: 'CANCELLED', message: reason || (by ? `Cancelled by ${by}` : 'Cancelled') }
}

function readRequest(json: string | null): { by?: string; reason?: string } {
  try {
    return JSON.parse(json ?? '{}') ?? {}
  } catch {
    return {}
  }
}
