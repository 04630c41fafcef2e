import type { JobError } from '../types.ts'

/**
 * Splits `[CODE] message`, as workers write errors that have a code into BullMQ's `failedReason`.
 */
export function readError(failedReason: string | null | undefined): JobError {
  const text = failedReason ?? ''
  if (text.charCodeAt(0) === 91) {
    const match = /^\[([A-Z][A-Z0-9_]{0,99})\] ?/.exec(text)
    if (match) return { code: match[1], message: text.slice(match[0].length) }
  }
  return { code: null, message: text }
}
