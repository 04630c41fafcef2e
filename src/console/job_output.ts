import type { OperationAnswer } from '../operations/job_lookup.ts'
import { cutText } from '../cut_text.ts'
import { duration } from '../dashboard/presenters/format.ts'
import { waitingView } from '../dashboard/presenters/waiting.ts'
import type { JobText } from '../dashboard/redaction/job_texts.ts'
import type { WaitingReason } from '../transport/limits.ts'
import type { JobView } from '../types.ts'
import { visibleText } from '../visible_text.ts'

/**
 * A job on one line: status, id, type, queue, progress, duration or why it waits, error.
 */
export function jobLine(job: JobView, text: JobText, waiting?: WaitingReason): string {
  const status = statusText(job)
  const parts = [status.padEnd(10), job.id, plain(job.type).padEnd(28), plain(job.queue).padEnd(12)]
  if (job.status === 'running') parts.push(`${Math.floor(job.progress.percent)} %`)
  else if (job.duration !== null) parts.push(duration(job.duration))
  if (waiting) parts.push(waitingView(waiting).text)
  const error = text.error(job.error)
  if (error) parts.push(cutText(plain(error.message), 80))
  return parts.join('  ').trimEnd()
}

/**
 * What an action did, in words.
 */
export function outcomeLine({ outcome, reason, job }: OperationAnswer): string {
  const words = { done: 'done', requested: 'requested', too_late: 'too late', refused: 'refused' }
  return `${words[outcome]}: job ${job.id} is ${statusText(job)}${reason ? `. ${reason}` : ''}`
}

function statusText({ status, stopping, signalIgnored }: JobView): string {
  if (!stopping) return status
  return `${status} (${signalIgnored ? 'ignored the signal' : 'stopping'})`
}

/**
 * Text of a job for a terminal: characters with which it could move the cursor, colour the screen or turn the direction of writing
 * are shown.
 */
export function plain(text: string): string {
  return visibleText(text.replaceAll('\n', ' ').replaceAll('\t', '\\x09').replaceAll('\r', '\\x0d'))
}
