import type { JobFamily } from '../../operations/job_family.ts'
import type { FlowSide, JobFlow } from '../../operations/job_flow.ts'
import type { Body, LogPage } from '../../records/reader_types.ts'
import type { WaitingReason } from '../../transport/limits.ts'
import type { JobDetails, JobView } from '../../types.ts'
import { dateOf } from './format.ts'
import { JsonText } from '../redaction/json_text.ts'
import { REDACTED } from '../redaction/written_secrets.ts'
import type { JobText, JobTexts } from '../redaction/job_texts.ts'
import { againOf, ranAgainAs, uniqueOf } from './own_options.ts'
import { waitingView } from './waiting.ts'

/**
 * A job as programs get it: names in camelCase, moments in ISO 8601, durations in milliseconds, texts redacted.
 *
 * @param waiting  why it waits, where that is known
 */
export function jobJson(job: JobView, text: JobText, waiting?: WaitingReason) {
  return {
    id: job.id,
    queue: job.queue,
    type: job.type,
    transportId: job.transportId,
    status: job.status,
    stopping: job.stopping,
    signalIgnored: job.signalIgnored,
    waiting: waiting ? waitingView(waiting) : null,
    run: job.run,
    attempt: job.attempts.started,
    maxAttempts: job.attempts.max,
    priority: job.priority,
    user: job.user,
    host: job.host,
    worker: job.worker,
    tags: job.tags,
    progress: {
      ...job.progress,
      ...(job.progress.stage === undefined ? {} : { stage: text.line(job.progress.stage) }),
      ...(job.progress.unit === undefined ? {} : { unit: text.line(job.progress.unit) }),
    },
    error: errorJson(text.error(job.error)),
    createdAt: iso(job.createdAt),
    dueAt: iso(job.dueAt),
    startedAt: iso(job.startedAt),
    finishedAt: iso(job.finishedAt),
    duration: job.duration,
    sensitive: job.sensitive,
  }
}

/**
 * The same with everything that its page shows. Payload, options and result stand as JSON with the digits they came with.
 */
export function jobDetailsJson(
  job: JobDetails,
  texts: JobTexts,
  {
    waiting,
    family,
    flow,
  }: { waiting?: WaitingReason; family?: JobFamily | null; flow?: JobFlow | null } = {}
) {
  const body: Body = { payload: job.payload, options: job.options, result: job.result }
  const text = texts.make(job, body)
  return {
    ...jobJson(job, text, waiting),
    unique: uniqueJson(job, text),
    runAgainOf: againOf(job.options),
    ranAgainAs: ranAgainAs(job.events),
    payload: documentJson(job.payload, text, job.sensitive),
    options: documentJson(job.options, text, false),
    result: documentJson(job.result, text, job.sensitive),
    attempts: job.attemptList.map(({ error, startedAt, finishedAt, ...attempt }) => ({
      ...attempt,
      startedAt: iso(startedAt),
      finishedAt: iso(finishedAt),
      error: text.error(error),
    })),
    events: job.events.map(({ at, detail, ...event }) => ({
      at: iso(at),
      ...event,
      detail: detail === null ? null : maskStrings(detail, text),
    })),
    runs: job.runs.map(({ error, startedAt, finishedAt, ...run }) => ({
      ...run,
      startedAt: iso(startedAt),
      finishedAt: iso(finishedAt),
      error: errorJson(text.error(error)),
    })),
    checkpoints: job.checkpoints && {
      count: job.checkpoints.count,
      bytes: job.checkpoints.bytes,
      newest: text.line(job.checkpoints.newest),
      at: iso(job.checkpoints.at),
    },
    flow: family ? familyJson(family) : null,
    waitsFor: flow ? sideJson(flow.awaited) : null,
    waitedForBy: flow ? sideJson(flow.waiting) : null,
    wholeFlow: flow?.whole ?? null,
    hasTransport: job.hasTransport,
  }
}

function sideJson({ total, counts, jobs }: FlowSide) {
  return { total, counts, data: jobs }
}

function familyJson({ parent, children }: JobFamily) {
  return { parent, children: children && { total: children.total, data: children.jobs } }
}

function uniqueJson({ options }: JobDetails, text: JobText) {
  const unique = uniqueOf(options)
  return unique && { key: text.line(unique.key), until: unique.until }
}

export function documentJson(
  stored: string | null,
  text: JobText,
  sensitive: boolean
): JsonText | string | null {
  if (stored === null) return null
  if (sensitive) return REDACTED
  return new JsonText(text.json(stored).text)
}

export function logJson({ lines, next }: LogPage, text: JobText) {
  return {
    data: lines.map(({ at, line, ...rest }) => ({ at: iso(at), ...rest, line: text.line(line) })),
    page: { next },
  }
}

export function iso(at: number | null): string | null {
  return at === null ? null : dateOf(at).toISOString()
}

export function errorJson(error: { code: string | null; message: string } | null) {
  return error && { code: error.code, message: error.message }
}

function maskStrings(value: unknown, text: JobText): unknown {
  if (typeof value === 'string') return text.line(value)
  if (Array.isArray(value)) return value.map((member) => maskStrings(member, text))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, maskStrings(member, text)])
  )
}
