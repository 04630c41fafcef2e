import { cutText } from '../../cut_text.ts'
import type { JobFamily } from '../../operations/job_family.ts'
import type { JobFlow } from '../../operations/job_flow.ts'
import type { AuditItem } from './audit_page.ts'
import type { Body, LogPage } from '../../records/reader_types.ts'
import { isStatus, isTerminal } from '../../statuses.ts'
import type { AttemptView, EventView, JobDetails, LogLevel } from '../../types.ts'
import type { DashboardUrls } from '../urls.ts'
import type { JobText, JobTexts } from '../redaction/job_texts.ts'
import { flowView } from './flow.ts'
import { graphView } from './flow_graph.ts'
import { codeBlock, redactedBlock } from './code_block.ts'
import { count, duration, durationFigures, type Clock } from './format.ts'
import { jobRow, type RowContext } from './job_row.ts'
import type { UniqueOption } from '../../transport/types.ts'
import { againOf, ranAgainAs, uniqueOf } from './own_options.ts'
import { resultLinks } from './result_links.ts'
import { outcomeMark, stagesOf, traceOf } from './job_stages.ts'
import type { CodeBlock, JobPage, LogView, Mark, Tile } from './types.ts'

const LONGEST_DETAIL = 300

/** New jobs of one that are linked from its page: the newest. */
const MOST_LINKS = 10

export type JobPageInput = {
  job: JobDetails
  texts: JobTexts
  log: LogPage
  /** The flow of BullMQ around it; null where there is none. */
  family?: JobFamily | null
  /** What waits for what around it; null where nothing does. */
  flow?: JobFlow | null
  previousId: string | null
  nextId: string | null
  /** Newest actions on this job; none where nobody asked for them. */
  audit?: AuditItem[]
  context: RowContext
}

/**
 * Everything about one job.
 */
export function jobPage(input: JobPageInput): JobPage {
  const { job, texts, context } = input
  const { urls, clock } = context
  const body: Body = { payload: job.payload, options: job.options, result: job.result }
  const text = texts.make(job, body)
  const block = (title: string, stored: string | null, url: string | null): CodeBlock | null => {
    if (stored === null) return null
    if (job.sensitive) return redactedBlock(title, stored)
    return codeBlock(title, stored, text.json(stored), url)
  }
  const row = jobRow(job, text, context)
  return {
    ...row,
    /** No status stands beside it, as it does in rows. */
    context:
      job.status === 'cancelled' ? row.context.replace(/^by /, 'Cancelled by ') : row.context,
    place: job.priority === 0 ? 'none' : count(job.priority),
    ended: isTerminal(job.status),
    sensitive: job.sensitive,
    previousUrl: input.previousId && urls.job(input.previousId),
    nextUrl: input.nextId && urls.job(input.nextId),
    tiles: tiles(job, row.items, clock),
    stages: stagesOf(job, text, clock.now),
    trace: traceOf(job, text, clock.now),
    errors: errors(job, text, clock),
    payload: block('Payload', job.payload, urls.job(job.id)),
    result: block('Result', job.result, urls.result(job.id)),
    links: job.sensitive || job.result === null ? [] : resultLinks(text.json(job.result).text),
    noResult: noResult(job),
    options: block('Options', job.options, urls.job(job.id)),
    log: logView(job.id, input.log, text, context),
    timeline: timeline(job, text, clock),
    facts: [...facts(job, text, clock), ...links(job, urls)],
    runs: runs(job, text, clock),
    flow: input.family ? flowView(input.family, urls) : null,
    graph: input.flow ? graphView(input.flow, job.id, urls) : null,
    audit: (input.audit ?? []).map(({ id, mark, said, who, via, reason, at }) => ({
      id,
      mark,
      label: said,
      detail: [`${who} ${via}`, text.maybe(reason)].filter(Boolean).join(' · '),
      at,
    })),
    auditUrl: urls.audit({ target: job.id }),
    hasTransport: job.hasTransport,
  }
}

export function logView(
  id: string,
  log: LogPage,
  text: JobText,
  { urls, clock }: Pick<RowContext, 'urls' | 'clock'>
): LogView {
  return {
    lines: log.lines.map(({ at, level, attempt, run, line }) => ({
      at: clock.moment(at),
      level,
      mark: levelMark(level),
      attempt,
      run,
      line: text.line(line),
    })),
    olderUrl: log.next === null ? null : urls.logs(id, { cursor: log.next }),
    url: urls.logs(id),
  }
}

function levelMark(level: LogLevel): Mark | null {
  if (level === 'warn') return 'suspect'
  return level === 'error' || level === 'fatal' ? 'failed' : null
}

function tiles(
  job: JobDetails,
  items: { value: string; unit: string } | null,
  clock: Clock
): Tile[] {
  const opened = job.events.findLast(({ kind }) => kind === 'restarted')?.at ?? job.createdAt
  const total = Math.max(0, (job.finishedAt ?? clock.now) - opened)
  const attempts = job.attemptList.filter(({ run, startedAt }) => run === job.run && startedAt)
  /** What lies between two attempts is waiting. */
  const executing = attempts.reduce(
    (sum, attempt) => sum + Math.max(0, endOf(attempt, job, clock) - attempt.startedAt!),
    0
  )
  const first = Math.min(...attempts.map(({ startedAt }) => startedAt!))
  const waiting = Math.max(0, total - executing)
  const between = attempts.length > 1 ? waiting - Math.max(0, first - opened) : 0
  const tile = (key: string, label: string, figures: Tile['figures'], sub = ''): Tile => ({
    key,
    label,
    mark: null,
    figures,
    sub,
    share: null,
    url: null,
  })
  return [
    tile(
      'waiting',
      'Waiting',
      durationFigures(waiting),
      between > 0 ? `${duration(between)} between attempts` : ''
    ),
    tile(
      'executing',
      'Executing',
      attempts.length === 0 ? NONE : durationFigures(executing),
      attempts.length > 1 ? `in ${count(attempts.length)} attempts` : ''
    ),
    tile('duration', 'Total', durationFigures(total)),
    tile('items', 'Items', items ? [{ value: items.value, unit: items.unit }] : NONE),
    tile('run', 'Run', [{ value: count(job.run), unit: '' }]),
    tile('user', 'User', [{ value: job.user ?? '–', unit: '' }]),
  ]
}

const NONE = [{ value: '–', unit: '' }]

/** An attempt without an end of its own runs now, or ended with the job. */
function endOf(attempt: AttemptView, job: JobDetails, clock: Clock): number {
  return attempt.finishedAt ?? job.finishedAt ?? clock.now
}

function errors(job: JobDetails, text: JobText, clock: Clock): JobPage['errors'] {
  const failed = job.attemptList
    .filter(({ error, run }) => error !== null && run === job.run)
    .sort((one, other) => other.attempt - one.attempt)
  const list = failed.map((attempt, index) => {
    const error = text.error(attempt.error)!
    return {
      code: error.code,
      message: error.message || 'No message',
      stack: error.stack ?? null,
      about: `attempt ${attempt.attempt}${attempt.host ? ` on ${attempt.host}` : ''}`,
      at: clock.maybe(attempt.finishedAt),
      mark: outcomeMark(attempt.outcome),
      last: index === 0,
    }
  })
  const own = text.error(job.error)
  if (list.length > 0 || !own) return list
  /** It ended without an attempt of its own: cancelled while it waited, lost in Redis. */
  return [
    {
      ...own,
      message: own.message || 'No message',
      stack: own.stack ?? null,
      about: '',
      at: clock.maybe(job.finishedAt),
      mark: job.status === 'failed' ? 'failed' : 'cancelled',
      last: true,
    },
  ]
}

function noResult({ status, stopping }: JobDetails): string {
  if (status === 'completed') return 'The job returned nothing.'
  if (isTerminal(status) && !stopping) return `A ${status} job has no result.`
  return 'None yet. It is written when the run completes.'
}

const LABELS: Record<string, [label: string, mark: Mark]> = {
  'added': ['Added', 'pending'],
  'added again': ['Added again', 'pending'],
  'pending': ['Pending', 'pending'],
  'attempt failed': ['Attempt failed', 'failed'],
  'handed back': ['Handed back by its worker', 'pending'],
  'worker lost': ['Its worker was lost', 'suspect'],
  'stage': ['Stage', 'running'],
  'removed': ['Removed from Redis', 'cancelled'],
  'restarted': ['Restarted', 'pending'],
  'run again': ['Run again as a new job', 'pending'],
  'priority changed': ['Priority changed', 'pending'],
  'redis restored': ['Back from an older Redis', 'pending'],
  'repaired': ['Record repaired from Redis', 'suspect'],
  'refused': ['A late end was refused', 'suspect'],
  'signal ignored': ['It ignored its signal', 'suspect'],
  'stopped': ['Its code has returned', 'cancelled'],
  'lost': ['Gone from Redis', 'failed'],
}

function timeline(job: JobDetails, text: JobText, clock: Clock): JobPage['timeline'] {
  return job.events
    .map((event, index) => {
      const [label, mark] = labelOf(event, text)
      const next = job.events[index + 1]
      return {
        mark,
        label,
        detail: detailOf(event, text, clock),
        at: clock.moment(event.at),
        /** What took no time needs no word. */
        duration:
          next && next.run === event.run && next.at > event.at ? duration(next.at - event.at) : '',
      }
    })
    .reverse()
}

function labelOf({ kind, detail }: EventView, text: JobText): [string, Mark] {
  const { stage } = object(detail)
  if (kind === 'stage' && typeof stage === 'string' && stage) return [text.line(stage), 'running']
  if (Object.hasOwn(LABELS, kind)) return LABELS[kind]
  const label = kind.charAt(0).toUpperCase() + kind.slice(1)
  return [label, isStatus(kind) ? kind : 'pending']
}

function detailOf({ detail, kind, attempt }: EventView, text: JobText, clock: Clock): string {
  const told =
    typeof detail === 'object' && detail !== null ? (detail as Record<string, unknown>) : {}
  const parts: string[] = []
  if (kind === 'running') parts.push(`attempt ${attempt}`)
  if (kind === 'run again' && typeof told.job === 'string') parts.push(told.job)
  if (typeof told.priority === 'number')
    parts.push(told.priority === 0 ? 'none' : count(told.priority))
  if (typeof told.code === 'string') parts.push(told.code)
  if (typeof told.message === 'string') parts.push(text.line(told.message))
  if (typeof told.by === 'string' && told.by) parts.push(`by ${told.by}`)
  if (typeof told.reason === 'string' && told.reason) parts.push(text.line(told.reason))
  if (typeof told.dueAt === 'number') parts.push(`due ${clock.moment(told.dueAt).clock}`)
  if (typeof told.status === 'string') parts.push(told.status)
  return cutText(text.line(parts.join(' · ')), LONGEST_DETAIL)
}

function facts(job: JobDetails, text: JobText, clock: Clock): JobPage['facts'] {
  const options = readOptions(job.options)
  const own = object(options.qd)
  const list: JobPage['facts'] = [
    { label: 'Queue', value: job.queue, tags: [] },
    { label: 'Tags', value: job.tags.length > 0 ? '' : '–', tags: job.tags },
    {
      label: 'Priority',
      value: job.priority === 0 ? 'none' : count(job.priority),
      tags: [],
    },
    { label: 'Attempts', value: count(job.attempts.max), tags: [] },
  ]
  const add = (label: string, value: string | null) => {
    if (value !== null) list.push({ label, value, tags: [] })
  }
  add('Timeout', typeof own.timeout === 'number' ? duration(own.timeout) : null)
  const backoff = object(options.backoff)
  add(
    'Backoff',
    typeof backoff.delay === 'number' && typeof backoff.type === 'string'
      ? `${backoff.type}, from ${duration(backoff.delay)}`
      : null
  )
  add('Delay', typeof options.delay === 'number' ? duration(options.delay) : null)
  const unique = uniqueOf(job.options)
  add('Unique', unique && `${text.line(unique.key)}, ${untilText(unique.until)}`)
  const { checkpoints } = job
  add(
    'Checkpoints',
    checkpoints &&
      `${count(checkpoints.count)}, newest “${text.line(checkpoints.newest)}” at ${clock.moment(checkpoints.at).clock}`
  )
  if (job.transportId !== job.id) add('BullMQ id', job.transportId)
  return list
}

/** Jobs that this one runs again, and that run this one again. */
function links(job: JobDetails, urls: DashboardUrls): JobPage['facts'] {
  const link = (label: string, id: string) => ({ label, value: id, tags: [], url: urls.job(id) })
  const of = againOf(job.options)
  return [
    ...(of === null ? [] : [link('Runs again', of)]),
    ...ranAgainAs(job.events)
      .slice(-MOST_LINKS)
      .map((id) => link('Ran again as', id)),
  ]
}

function untilText(until: UniqueOption['until']): string {
  if (typeof until === 'number') return `for ${duration(until)} from its dispatch`
  return until === 'started' ? 'until it starts' : 'until it ends'
}

function runs(job: JobDetails, text: JobText, clock: Clock): JobPage['runs'] {
  return [...job.runs]
    .sort((one, other) => other.run - one.run)
    .map(({ run, status, startedAt, finishedAt, error }) => ({
      run,
      mark: status,
      label: `Run ${run} ${status}`,
      detail: [
        startedAt !== null && finishedAt !== null ? duration(finishedAt - startedAt) : '',
        text.error(error)?.message ?? '',
      ]
        .filter(Boolean)
        .join(' · ')
        .slice(0, LONGEST_DETAIL),
      at: clock.maybe(finishedAt),
    }))
}

function readOptions(json: string | null): Record<string, unknown> {
  try {
    return object(JSON.parse(json ?? '{}'))
  } catch {
    return {}
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
