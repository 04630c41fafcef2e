import { durationWords } from '../../cron/words.ts'
import type { AuditRow } from '../../records/audit/audit_log.ts'
import { AUDIT_ACTIONS, type AuditAction, type AuditOutcome } from '../../transport/audit_trail.ts'
import { redactJson } from '../redaction/redact.ts'
import type { SecretKeys } from '../redaction/secret_keys.ts'
import type { DashboardUrls } from '../urls.ts'
import type { Clock } from './format.ts'
import { iso } from './job_json.ts'
import type { Mark, Moment } from './types.ts'

/** The filter as its form shows it. */
export type AuditFields = { who: string; action: string; target: string; from: string; to: string }

export type AuditItem = {
  id: string
  mark: Mark
  outcome: string
  action: string
  /** Both in one, as one says it of a job: `Cancelled`, `Restart: too late`. */
  said: string
  at: Moment
  who: string
  /** Id behind a name. */
  whoId: string
  whoUrl: string
  via: string
  target: { kind: string; id: string; short: string; url: string | null }
  /** Everything that was done to this. */
  targetUrl: string
  reason: string | null
  detail: { label: string; value: string }[]
}

export type AuditPage = {
  items: AuditItem[]
  fields: AuditFields
  /** Why the filter cannot be used; null for one that can. */
  refusal: string | null
  actions: { name: string; label: string }[]
  isFiltered: boolean
  older: string | null
  newest: string | null
  /** False while the database does not answer. */
  known: boolean
}

const MARKS: Record<AuditOutcome, Mark> = {
  done: 'completed',
  requested: 'scheduled',
  too_late: 'pending',
  refused: 'pending',
  failed: 'failed',
  unknown: 'suspect',
}

const WORDS: Record<AuditOutcome, string> = {
  done: 'done',
  requested: 'requested',
  too_late: 'too late',
  refused: 'refused',
  failed: 'failed',
  unknown: 'not known',
}

/** What was done to a job. */
const DONE: Partial<Record<AuditAction, string>> = {
  cancel: 'Cancelled',
  restart: 'Restarted',
  run_again: 'Run again',
  edit_and_run: 'Edited and run again',
  delete: 'Deleted',
  priority: 'Priority changed',
  dispatch: 'Added',
  enqueue_again: 'Enqueued again',
}

const VIA = { page: 'on a page', api: 'through the API', command: 'by command', code: 'by itself' }

export type AuditContext = { urls: DashboardUrls; clock: Clock; keys: SecretKeys }

export function auditItem(row: AuditRow, { urls, clock, keys }: AuditContext): AuditItem {
  const { actor, target } = row
  const who = actor.name ?? actor.id
  return {
    id: row.id,
    mark: MARKS[row.outcome] ?? 'pending',
    outcome: WORDS[row.outcome] ?? row.outcome,
    action: AUDIT_ACTIONS[row.action] ?? row.action,
    said: said(row),
    at: clock.moment(row.at),
    who,
    whoId: actor.id,
    whoUrl: urls.audit({ who }),
    via: actor.bulk ? `${VIA[actor.via] ?? actor.via}, in bulk` : (VIA[actor.via] ?? actor.via),
    target: {
      kind: target.kind,
      id: target.id,
      short: ['job', 'bulk', 'schedule'].includes(target.kind)
        ? `…${target.id.slice(-4)}`
        : target.id,
      url: addressOf(target, urls),
    },
    targetUrl: urls.audit({ target: target.id }),
    reason: row.reason,
    detail: detailOf(row, keys),
  }
}

function said({ action, outcome }: AuditRow): string {
  if (outcome === 'done' && DONE[action]) return DONE[action]
  const name: string = AUDIT_ACTIONS[action] ?? action
  const capital = name.charAt(0).toUpperCase() + name.slice(1)
  return outcome === 'done' ? capital : `${capital}: ${WORDS[outcome] ?? outcome}`
}

function addressOf({ kind, id }: AuditRow['target'], urls: DashboardUrls): string | null {
  if (kind === 'job') return urls.job(id)
  if (kind === 'queue') return urls.queue(id)
  if (kind === 'worker') return urls.worker(id)
  if (kind === 'cleanup') return urls.cleanups()
  if (kind === 'schedule') return urls.schedule(id)
  if (kind === 'bulk') return urls.bulkOperation(id)
  return null
}

function detailOf(row: AuditRow, keys: SecretKeys): AuditItem['detail'] {
  return Object.entries(redactedDetail(row, keys)).map(([label, value]) => ({
    label: label.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase(),
    value: detailText(label, value),
  }))
}

function detailText(label: string, value: unknown): string {
  if (label === 'every' && typeof value === 'number') return durationWords(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function redactedDetail({ detail }: AuditRow, keys: SecretKeys): Record<string, unknown> {
  return JSON.parse(redactJson(JSON.stringify(detail), keys).text) as Record<string, unknown>
}

/** An action as programs get it. */
export function auditJson(row: AuditRow, keys: SecretKeys) {
  const { id, at, actor, action, target, outcome, reason } = row
  return {
    id,
    at: iso(at),
    actor: { id: actor.id, name: actor.name ?? null, via: actor.via, bulk: actor.bulk ?? null },
    action,
    target,
    outcome,
    reason,
    detail: redactedDetail(row, keys),
  }
}
