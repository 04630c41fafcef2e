/**
 * The seven statuses of a job, in the order in which lists sort them. The position is the code that records store:
 * never reorder, only append.
 */
export const STATUSES = [
  'pending',
  'scheduled',
  'blocked',
  'running',
  'failed',
  'cancelled',
  'completed',
] as const

export type JobStatus = (typeof STATUSES)[number]

/**
 * Statuses that only Restart leaves.
 */
export const TERMINAL_STATUSES = ['failed', 'cancelled', 'completed'] as const

export type TerminalStatus = (typeof TERMINAL_STATUSES)[number]

/**
 * Narrows a string from outside (an address, a form) to a status.
 */
export function isStatus(value: string): value is JobStatus {
  return (STATUSES as readonly string[]).includes(value)
}

export function isTerminal(status: JobStatus): status is TerminalStatus {
  return (TERMINAL_STATUSES as readonly string[]).includes(status)
}

/**
 * The code that records store for a status.
 */
export function statusCode(status: JobStatus): number {
  return STATUSES.indexOf(status)
}
