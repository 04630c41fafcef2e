import type { BulkAction, BulkItem, BulkOperation } from '../../records/bulk/bulk_rows.ts'
import type { JobView, Outcome } from '../../types.ts'
import type { DashboardUrls } from '../urls.ts'
import { count, duration, type Clock } from './format.ts'
import { iso } from './job_json.ts'
import type { ActionView, Mark, Moment } from './types.ts'

/** Jobs that a confirmation names. */
const SAMPLE = 5

type Words = { verb: string; text: string; destructive: boolean }

const WORDS: Record<BulkAction, Words> = {
  cancel: {
    verb: 'Cancel',
    text: 'Jobs that wait never start; those that run are told to stop. They can be restarted later. Jobs that have ended are left alone.',
    destructive: true,
  },
  restart: {
    verb: 'Restart',
    text: 'Failed and cancelled jobs run again with the same payload, as the next run. Others are refused.',
    destructive: false,
  },
  delete: {
    verb: 'Delete',
    text: 'Jobs that have ended go with their whole history, for good. Jobs that have not ended are refused.',
    destructive: true,
  },
  priority: {
    verb: 'Change the priority of',
    text: 'Jobs that wait take their new place in line at once. Jobs that run or have ended are refused.',
    destructive: false,
  },
}

export type BulkConfirm = {
  action: BulkAction
  title: string
  text: string
  button: string
  destructive: boolean
  sample: { mark: Mark; type: string; id: string; shortId: string }[]
  more: string
  /** Jobs that will be refused for certain, and why: `2 jobs: There is no such job`. */
  refusals: string[]
  /** Ids of all jobs, as the form sends them. */
  ids: string
  url: string
  backUrl: string
  /** Null when there is something to do. */
  refused: string | null
}

/** What a confirmation says of jobs. */
export function bulkConfirm(
  action: BulkAction,
  found: { id: string; job: JobView | null; refusal: string | null }[],
  urls: DashboardUrls
): BulkConfirm {
  const able = found.flatMap(({ job, refusal }) => (job && refusal === null ? [job] : []))
  const { verb, text, destructive } = WORDS[action]
  const refusals = new Map<string, number>()
  for (const { refusal } of found) {
    if (refusal !== null) refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1)
  }
  const more = able.length - SAMPLE
  return {
    action,
    title: `${verb} ${jobs(found.length)}?`,
    text,
    button: `${verb} ${jobs(able.length)}`,
    destructive,
    sample: able.slice(0, SAMPLE).map((job) => ({
      mark: job.stopping ? 'stopping' : job.status,
      type: job.type,
      id: job.id,
      shortId: shortId(job.id),
    })),
    more: more > 0 ? `and ${count(more)} more` : '',
    refusals: [...refusals].map(([reason, n]) => `${jobs(n)} will be refused: ${reason}`),
    ids: found.map(({ id }) => id).join(','),
    url: urls.bulk(),
    backUrl: urls.jobs(),
    refused: able.length === 0 ? 'Nothing can be done to any of these jobs' : null,
  }
}

export type BulkState = 'running' | 'stopping' | 'stopped' | 'done'

export type BulkPage = {
  id: string
  title: string
  state: BulkState
  stateMark: Mark
  stateText: string
  total: string
  /** The queue that is drained: such an operation lists no jobs. */
  queue: string | null
  /** Jobs that something came of, in numbers and as the bar shows them. */
  worked: number
  workedText: string
  most: number
  who: string
  via: string
  created: Moment
  took: string
  elapsed: number | null
  outcomes: {
    name: Outcome
    label: string
    count: string
    mark: Mark
    url: string
    current: boolean
  }[]
  all: { url: string; current: boolean; count: string }
  items: {
    n: number
    url: string | null
    id: string
    shortId: string
    type: string
    mark: Mark
    outcome: string
    reason: string | null
  }[]
  next: string | null
  first: string | null
  stop: ActionView
  jobsUrl: string
  auditUrl: string
}

const OUTCOMES: Record<Outcome, { label: string; mark: Mark }> = {
  done: { label: 'done', mark: 'completed' },
  requested: { label: 'told to stop', mark: 'stopping' },
  too_late: { label: 'too late', mark: 'pending' },
  refused: { label: 'refused', mark: 'suspect' },
}

const STATES: Record<BulkState, { mark: Mark; text: string }> = {
  running: { mark: 'running', text: 'at work' },
  stopping: { mark: 'stopping', text: 'stopping' },
  stopped: { mark: 'cancelled', text: 'stopped' },
  done: { mark: 'completed', text: 'done' },
}

const VIA = { page: 'on a page', api: 'through the API', command: 'by command', code: 'by code' }

export type BulkPageInput = {
  operation: BulkOperation
  items: BulkItem[]
  next: number | null
  isFirst: boolean
  outcome: Outcome | undefined
  manage: boolean
}

export function bulkPage(
  { operation, items, next, isFirst, outcome, manage }: BulkPageInput,
  { urls, clock }: { urls: DashboardUrls; clock: Clock }
): BulkPage {
  const { id, total, counts, actor, createdAt, endedAt, drain } = operation
  const worked = workedOf(operation)
  const state = stateOf(operation)
  const elapsed = Math.max(0, (endedAt ?? clock.now) - createdAt)
  return {
    id,
    title: titleOf(operation),
    queue: drain?.queue ?? null,
    state,
    stateMark: STATES[state].mark,
    stateText: STATES[state].text,
    total: count(total),
    worked,
    workedText: `${count(worked)} of ${count(total)}`,
    most: total,
    who: actor.name ?? actor.id,
    via: VIA[actor.via] ?? actor.via,
    created: clock.moment(createdAt),
    took: duration(elapsed),
    elapsed: endedAt === null ? elapsed : null,
    outcomes: (Object.keys(OUTCOMES) as Outcome[])
      .filter((name) => counts[name] > 0 || name === outcome)
      .map((name) => ({
        name,
        ...OUTCOMES[name],
        count: count(counts[name]),
        url: urls.bulkOperation(id, { outcome: name }),
        current: name === outcome,
      })),
    all: { url: urls.bulkOperation(id), current: outcome === undefined, count: count(total) },
    items: items.map((item) => ({
      n: item.n,
      url: item.type === '' ? null : urls.job(item.jobId),
      id: item.jobId,
      shortId: shortId(item.jobId),
      type: item.type === '' ? 'no such job' : item.type,
      mark: item.outcome === null ? 'scheduled' : OUTCOMES[item.outcome].mark,
      outcome:
        item.outcome === null
          ? endedAt === null
            ? 'to come'
            : 'left alone'
          : OUTCOMES[item.outcome].label,
      reason: item.reason,
    })),
    next: next === null ? null : urls.bulkOperation(id, { outcome, cursor: next }),
    first: isFirst ? null : urls.bulkOperation(id, { outcome }),
    stop: {
      url: urls.stopBulk(id),
      allowed: manage && state === 'running',
      reason: manage ? 'It has ended, or is being stopped' : 'You may not act here',
    },
    jobsUrl: urls.jobs(drain ? { queue: drain.queue, status: 'cancelled' } : {}),
    auditUrl: urls.audit({ target: drain?.queue ?? id }),
  }
}

function titleOf({ action, priority, total, drain }: BulkOperation): string {
  if (action === 'drain') return `Drain ${drain?.queue ?? ''}`
  return `${WORDS[action].verb} ${jobs(total)}${priority === null ? '' : ` to ${count(priority)}`}`
}

function workedOf({ counts }: BulkOperation): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0)
}

function stateOf(operation: BulkOperation): BulkState {
  if (operation.endedAt === null) return operation.stopped ? 'stopping' : 'running'
  return workedOf(operation) < operation.total ? 'stopped' : 'done'
}

function jobs(n: number): string {
  return n === 1 ? '1 job' : `${count(n)} jobs`
}

function shortId(id: string): string {
  return `…${id.slice(-4)}`
}

/** An operation as programs get it. */
export function bulkJson(operation: BulkOperation) {
  const { id, action, priority, drain, actor, createdAt, endedAt, total, counts } = operation
  return {
    id,
    action,
    priority,
    drain: drain && { queue: drain.queue, scheduled: drain.scheduled },
    actor: { id: actor.id, name: actor.name ?? null, via: actor.via },
    state: stateOf(operation),
    total,
    left: total - workedOf(operation),
    counts: {
      done: counts.done,
      requested: counts.requested,
      tooLate: counts.too_late,
      refused: counts.refused,
    },
    createdAt: iso(createdAt),
    endedAt: endedAt === null ? null : iso(endedAt),
  }
}

/** What came of one job. */
export function bulkItemJson({ jobId, type, outcome, reason }: BulkItem) {
  return { id: jobId, type: type === '' ? null : type, outcome, reason }
}
