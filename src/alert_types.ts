import type { AlertRule, AlertRuleSettings, AlertUnit } from './alert_rules.ts'
import type { Duration } from './dispatch_types.ts'

/**
 * What a rule of `alerts.rules` may set; `false` instead switches it off.
 */
export type AlertRuleConfig = {
  /** The alert opens when the value is this or more: a percentage, a duration or a number, as the rule has it. */
  threshold?: number | Duration
  /** It closes when the value is below this. At most the threshold; default: what stands to it as by default. */
  clear?: number | Duration
  /** How long the value has to be so before the alert opens. */
  for?: Duration
  /** `cpu` and `memory`: in how many reports of workers in a row. Default 2. */
  samples?: number
  /** `failureRate`: how far back it looks, in whole minutes. Default `10m`. */
  window?: Duration
  /** `failureRate`: how many jobs have to have ended in that time. Default 20. */
  minimum?: number
}

/**
 * `alerts` of config/queuedeck.ts.
 */
export type AlertsConfig = {
  /** Whether worker, web and mirror processes watch by themselves. Default true. */
  automatic?: boolean
  /** Pause between two looks. Default `10s`. */
  every?: Duration
  /** Rules whose numbers differ from the default, or `false`. */
  rules?: Partial<Record<AlertRule, AlertRuleConfig | false>>
  /** Addresses that every alert is posted to when it opens and when it is over. */
  webhooks?: {
    /** With `http` or `https`. */
    url: string
    /** Of at least 16 letters: signs each message. */
    secret: string
    /** Whether it may be in a private network or on this machine. Default false. */
    allowPrivate?: boolean
    /** How long it may take to answer. Default `10s`, at most `30s`. */
    timeout?: Duration
  }[]
  /** Mails by `@adonisjs/mail` when an alert opens and when it is over. */
  mail?: {
    to: string | string[]
    /** Default: that of the application's mails. */
    from?: string
    /** Name in config/mail.ts. Default: its default mailer. */
    mailer?: string
  }
}

export type WebhookSettings = {
  url: string
  secret: string
  allowPrivate: boolean
  timeout: number
}

export type MailSettings = { to: string[]; from: string | undefined; mailer: string | undefined }

/**
 * The same with every default filled in; durations in milliseconds, null for rules that are off.
 */
export type AlertSettings = {
  automatic: boolean
  every: number
  rules: Record<AlertRule, AlertRuleSettings | null>
  webhooks: WebhookSettings[]
  mail: MailSettings | null
}

/**
 * One alert: one rule about one subject, from when it opened until it is over. Moments are epoch milliseconds.
 */
export type AlertView = {
  /** Null for one that could not be recorded, because the database is away. */
  id: number | null
  rule: AlertRule
  /** Name of the queue, host, worker or service that it is about. */
  subject: string
  /** What the rule is about, what is so now or was last, and what to do. */
  title: string
  text: string
  remedy: string
  unit: AlertUnit
  /** The newest value that was at or above the threshold at the time, and that threshold. */
  value: number
  threshold: number
  openedAt: number
  seenAt: number
  /** Null while it is open. */
  clearedAt: number | null
  acknowledged: { at: number; by: string } | null
  /** The mute that covers it now. */
  mute: AlertMute | null
}

/**
 * Alerts that are neither told nor sent: of a rule about one subject, or about all (`subject` null).
 */
export type AlertMute = {
  rule: AlertRule
  subject: string | null
  /** Epoch milliseconds; null is for ever. */
  until: number | null
  by: string
  at: number
}
