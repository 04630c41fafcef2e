import type { OperationAnswer } from '../operations/job_lookup.ts'
import { duration } from '../dashboard/presenters/format.ts'
import { waitingView } from '../dashboard/presenters/waiting.ts'
import type { JobText } from '../dashboard/redaction/job_texts.ts'
import type { WaitingReason } from '../transport/limits.ts'
import type { JobView } from '../types.ts'

/**
 * A job on one line: status, id, type, queue, progress, duration or why it waits, error.
 */
export function jobLine(job: JobView, text: JobText, waiting?: WaitingReason): string {
  const status = job.stopping ? `${job.status} (stopping)` : job.status
  const parts = [status.padEnd(10), job.id, plain(job.type).padEnd(28), plain(job.queue).padEnd(12)]
  if (job.status === 'running') parts.push(`${Math.round(job.progress.percent)} %`)
  else if (job.duration !== null) parts.push(duration(job.duration))
  if (waiting) parts.push(waitingView(waiting).text)
  const error = text.error(job.error)
  if (error) parts.push(plain(error.message).slice(0, 80))
  return parts.join('  ').trimEnd()
}

/**
 * What an action did, in words.
 */
export function outcomeLine({ outcome, reason, job }: OperationAnswer): string {
  const words = { done: 'done', requested: 'requested', too_late: 'too late', refused: 'refused' }
  return `${words[outcome]}: job ${job.id} is ${job.status}${job.stopping ? ' (stopping)' : ''}${reason ? `. ${reason}` : ''}`
}

/**
 * Text of a job for a terminal: control characters, with which it could move the cursor or colour the screen, are shown.
 */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    character === '\n' ? ' ' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  )
}
