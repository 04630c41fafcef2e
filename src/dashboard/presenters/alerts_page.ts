import { createHash } from 'node:crypto'
import {
  ALERT_RULES,
  ALERT_SPECIFICATIONS,
  type AlertRule,
  type AlertRuleSettings,
} from '../../alert_rules.ts'
import { span } from '../../alerts/words.ts'
import type { AlertMute, AlertView, ResolvedConfig } from '../../types.ts'
import type { DashboardUrls } from '../urls.ts'
import { count, duration, type Clock } from './format.ts'
import type { Mark, Moment } from './types.ts'

/** How long a mute may be, as pages offer it; `''` is for ever. */
export const MUTE_CHOICES = [
  { value: '1h', label: '1 hour' },
  { value: '8h', label: '8 hours' },
  { value: '1d', label: '1 day' },
  { value: '7d', label: '7 days' },
  { value: 'ever', label: 'for ever' },
]

/**
 * One alert, ready to print.
 */
export type AlertItem = {
  /** `alert-12`; for one without a record its rule. */
  key: string
  rule: AlertRule
  subject: string
  mark: Mark
  title: string
  text: string
  remedy: string
  /** Where to look; null where there is no page for it. */
  link: { label: string; url: string } | null
  opened: Moment
  lasted: string
  /** `ada, 3 min ago` */
  acknowledged: { by: string; at: Moment } | null
  mute: MuteItem | null
  /** Null: it cannot be acknowledged (again). */
  acknowledgeUrl: string | null
}

export type MuteItem = {
  key: string
  rule: AlertRule
  subject: string
  title: string
  /** `queue "mails"`, or `all`. */
  about: string
  until: Moment | null
  by: string
}

export type RuleItem = {
  rule: AlertRule
  title: string
  meaning: string
  remedy: string
  /** `opens at 95 % in 2 reports, closes below 80 %`, or `off`. */
  when: string
  off: boolean
  muted: boolean
}

export type AlertsPage = {
  open: AlertItem[]
  past: AlertItem[]
  mutes: MuteItem[]
  rules: RuleItem[]
  /** False while neither the database nor Redis says what is open. */
  known: boolean
  older: string | null
  newest: string | null
  muteUrl: string
  unmuteUrl: string
  choices: typeof MUTE_CHOICES
  /** Who is told: `2 webhooks and mail`. */
  told: string
}

export type AlertsInput = {
  open: AlertView[] | null
  past: AlertView[]
  mutes: AlertMute[]
  older: number | null
  isFirst: boolean
  settings: ResolvedConfig['alerts']
}

type Context = { urls: DashboardUrls; clock: Clock }

export function alertsPage(input: AlertsInput, context: Context): AlertsPage {
  const { open, past, mutes, older, isFirst, settings } = input
  const { urls, clock } = context
  return {
    open: (open ?? []).map((alert) => alertItem(alert, context)),
    past: past.map((alert) => alertItem(alert, context)),
    mutes: mutes.map((mute) => muteItem(mute, clock)),
    rules: ALERT_RULES.map((rule) => ruleItem(rule, settings.rules[rule], mutes)),
    known: open !== null,
    older: older === null ? null : urls.alerts({ cursor: older }),
    newest: isFirst ? null : urls.alerts(),
    muteUrl: urls.alertMutes(),
    unmuteUrl: urls.unmuteAlerts(),
    choices: MUTE_CHOICES,
    told: toldTo(settings),
  }
}

export function alertItem(alert: AlertView, { urls, clock }: Context): AlertItem {
  const { id, rule, subject, acknowledged, mute, openedAt, clearedAt } = alert
  return {
    key: id === null ? `alert-${rule}` : `alert-${id}`,
    rule,
    subject,
    mark: clearedAt !== null ? 'completed' : mute !== null ? 'pending' : 'suspect',
    title: alert.title,
    text: alert.text,
    remedy: alert.remedy,
    link: linkOf(rule, subject, urls),
    opened: clock.moment(openedAt),
    lasted: duration(Math.max(0, (clearedAt ?? clock.now) - openedAt)),
    acknowledged: acknowledged && { by: acknowledged.by, at: clock.moment(acknowledged.at) },
    mute: mute && muteItem(mute, clock),
    acknowledgeUrl:
      id === null || clearedAt !== null || acknowledged !== null ? null : urls.acknowledgeAlert(id),
  }
}

/** Open alerts that want somebody's eyes. */
export function isLoud({ mute, clearedAt }: AlertView): boolean {
  return mute === null && clearedAt === null
}

function muteItem({ rule, subject, until, by }: AlertMute, clock: Clock): MuteItem {
  const { title, subject: kind } = ALERT_SPECIFICATIONS[rule]
  return {
    /** Workers of one host begin alike. */
    key: `mute-${rule}-${createHash('sha256')
      .update(subject ?? '')
      .digest('hex')
      .slice(0, 16)}`,
    rule,
    subject: subject ?? '',
    title,
    about:
      subject !== null ? `${kind} ${subject}` : kind === 'service' ? 'all of it' : `every ${kind}`,
    until: clock.maybe(until),
    by,
  }
}

function ruleItem(
  rule: AlertRule,
  settings: AlertRuleSettings | null,
  mutes: AlertMute[]
): RuleItem {
  const { title, meaning, remedy } = ALERT_SPECIFICATIONS[rule]
  return {
    rule,
    title,
    meaning,
    remedy,
    when: settings === null ? 'off in the configuration' : whenOf(rule, settings),
    off: settings === null,
    muted: mutes.some((mute) => mute.rule === rule && mute.subject === null),
  }
}

function whenOf(
  rule: AlertRule,
  { threshold, clear, for: during, samples, window, minimum }: AlertRuleSettings
) {
  const { unit } = ALERT_SPECIFICATIONS[rule]
  const lasting = during > 0 ? ` for ${span(during)}` : ''
  if (unit === 'yes or no') return `opens when it is so${lasting}`
  const value = (of: number) =>
    unit === 'percent' ? `${of} %` : unit === 'duration' ? span(of) : count(of)
  const counted = minimum === undefined ? '' : `, of at least ${count(minimum)} in ${span(window!)}`
  const sampled = samples > 1 ? ` in ${samples} reports` : ''
  return `opens at ${value(threshold)}${lasting}${sampled}${counted}, closes below ${value(clear)}`
}

function linkOf(
  rule: AlertRule,
  subject: string,
  urls: DashboardUrls
): { label: string; url: string } | null {
  switch (ALERT_SPECIFICATIONS[rule].subject) {
    case 'queue':
      return rule === 'failureRate'
        ? { label: 'See what failed', url: urls.jobs({ status: 'failed', queue: subject }) }
        : { label: 'Open the queue', url: urls.queue(subject) }
    case 'worker':
      return { label: 'Open the worker', url: urls.worker(subject) }
    case 'host':
      return { label: 'See the workers', url: urls.workers() }
    case 'schedule':
      return { label: 'See the schedules', url: urls.schedules() }
    case 'service':
      if (rule === 'cleanupOverdue' || rule === 'redisMemory') {
        return { label: 'See the cleanups', url: urls.cleanups() }
      }
      return null
  }
}

function toldTo({ webhooks, mail }: ResolvedConfig['alerts']): string {
  const parts = [
    ...(webhooks.length === 1 ? ['a webhook'] : []),
    ...(webhooks.length > 1 ? [`${webhooks.length} webhooks`] : []),
    ...(mail === null ? [] : ['mail']),
  ]
  return parts.length === 0
    ? 'the application’s own listeners'
    : `${parts.join(' and ')}, and the application’s own listeners`
}
