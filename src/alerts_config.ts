import {
  ALERT_RULES,
  ALERT_SPECIFICATIONS,
  type AlertRule,
  type AlertRuleSettings,
} from './alert_rules.ts'
import type {
  AlertRuleConfig,
  AlertsConfig,
  AlertSettings,
  MailSettings,
  WebhookSettings,
} from './alert_types.ts'
import { assertKnownKeys, duration, text, whole, wrong, yesOrNo } from './config_checks.ts'
import { E_INVALID_CONFIG } from './errors.ts'
import { WORKER_FORGOTTEN_AFTER } from './transport/worker_times.ts'
import type { Duration } from './types.ts'

const KNOWN = ['automatic', 'every', 'rules', 'webhooks', 'mail']

/** Letters of a secret: fewer can be guessed. */
const SHORTEST_SECRET = 16

/** An address may keep whoever sends waiting this long, ms. */
const LONGEST_TIMEOUT = 30_000

/** A cleanup that is late by two turns is overdue. */
const TURNS = 3

/**
 * Checks `alerts` of the configuration and fills in every default.
 *
 * @param cleanupEvery  Pause between two cleanups, ms: when one is overdue depends on it
 * @throws E_INVALID_CONFIG
 */
export function alertSettings(alerts: AlertsConfig, cleanupEvery: number): AlertSettings {
  assertKnownKeys(alerts, 'alerts', KNOWN)
  const { rules = {} } = alerts
  assertKnownKeys(rules, 'alerts.rules', ALERT_RULES)
  return {
    automatic: yesOrNo(alerts.automatic ?? true, 'alerts.automatic'),
    every: duration(alerts.every ?? '10s', 'alerts.every', 1_000),
    rules: Object.fromEntries(
      ALERT_RULES.map((rule) => [rule, ruleSettings(rule, rules[rule] ?? {}, cleanupEvery)])
    ) as AlertSettings['rules'],
    webhooks: webhookSettings(alerts.webhooks ?? []),
    mail: alerts.mail === undefined ? null : mailSettings(alerts.mail),
  }
}

/**
 * Refuses to start where mails could not be sent.
 *
 * @param hasMail  Whether the application has the binding `mail.manager`
 * @throws E_INVALID_CONFIG when mails are to be sent and nothing can send them
 */
export function assertMail({ mail }: AlertSettings, hasMail: boolean): void {
  if (mail === null || hasMail) return
  throw new E_INVALID_CONFIG([
    '"alerts.mail" needs @adonisjs/mail: install it with "node ace add @adonisjs/mail", or remove "alerts.mail"',
  ])
}

function webhookSettings(webhooks: AlertsConfig['webhooks']): WebhookSettings[] {
  if (!Array.isArray(webhooks)) throw wrong('alerts.webhooks', webhooks, 'give a list')
  const settings = webhooks.map((webhook, index): WebhookSettings => {
    const place = `alerts.webhooks.${index}`
    assertKnownKeys(webhook, place, ['url', 'secret', 'allowPrivate', 'timeout'])
    const timeout = duration(webhook.timeout ?? '10s', `${place}.timeout`, 100)
    if (timeout > LONGEST_TIMEOUT) {
      throw wrong(`${place}.timeout`, webhook.timeout, `give at most ${LONGEST_TIMEOUT} ms`)
    }
    return {
      url: webAddress(webhook.url, `${place}.url`),
      secret: secret(webhook.secret, `${place}.secret`),
      allowPrivate: yesOrNo(webhook.allowPrivate ?? false, `${place}.allowPrivate`),
      timeout,
    }
  })
  const twice = settings.find(
    ({ url }, index) => settings.findIndex((one) => one.url === url) < index
  )
  if (twice) throw wrong('alerts.webhooks', new URL(twice.url).origin, 'name each address once')
  return settings
}

/** The value is not shown: it may hold a token. */
function webAddress(value: unknown, key: string): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new E_INVALID_CONFIG([`"${key}" must be an address that begins with https:// or http://`])
  }
  return url.href
}

function secret(value: unknown, key: string): string {
  if (typeof value === 'string' && value.length >= SHORTEST_SECRET) return value
  throw new E_INVALID_CONFIG([
    `"${key}" must be a text of at least ${SHORTEST_SECRET} letters, known to you and the receiver only`,
  ])
}

function mailSettings(mail: NonNullable<AlertsConfig['mail']>): MailSettings {
  assertKnownKeys(mail, 'alerts.mail', ['to', 'from', 'mailer'])
  const to = (Array.isArray(mail.to) ? mail.to : [mail.to]).map((one) => address(one, 'to'))
  if (to.length === 0) throw wrong('alerts.mail.to', mail.to, 'give at least one address')
  return {
    to,
    from: mail.from === undefined ? undefined : address(mail.from, 'from'),
    mailer: text(mail.mailer, 'alerts.mail.mailer'),
  }
}

function address(value: unknown, key: string): string {
  if (typeof value === 'string' && /^[^\s@]+@[^\s@]+$/.test(value)) return value
  throw wrong(`alerts.mail.${key}`, value, 'give an address such as "ops@example.com"')
}

function ruleSettings(
  rule: AlertRule,
  config: AlertRuleConfig | false,
  cleanupEvery: number
): AlertRuleSettings | null {
  if (config === false) return null
  const place = `alerts.rules.${rule}`
  const { unit, defaults } = ALERT_SPECIFICATIONS[rule]
  const known = [
    ...(unit === 'yes or no' ? [] : ['threshold', 'clear']),
    ...(rule === 'redisAway' || rule === 'databaseAway' ? [] : ['for']),
    ...(defaults.samples === undefined ? [] : ['samples']),
    ...(defaults.window === undefined ? [] : ['window', 'minimum']),
  ]
  assertKnownKeys(config, place, known)
  const value = (given: number | Duration, key: string) => {
    if (unit === 'duration') return duration(given, `${place}.${key}`, 1_000)
    return whole(given, `${place}.${key}`, 1, unit === 'percent' ? 100 : 1_000_000)
  }
  const usual =
    rule === 'cleanupOverdue'
      ? Math.max(defaults.threshold, TURNS * cleanupEvery)
      : defaults.threshold
  const threshold = config.threshold === undefined ? usual : value(config.threshold, 'threshold')
  const share = defaults.clear / defaults.threshold
  const clear =
    config.clear === undefined
      ? Math.max(1, Math.round(threshold * share))
      : value(config.clear, 'clear')
  if (clear > threshold) {
    throw wrong(`${place}.clear`, config.clear, `give at most the threshold, ${threshold}`)
  }
  const time = duration(config.for ?? defaults.for, `${place}.for`, 0)
  if (rule === 'staleWorker') assertOpens(threshold, time, config, place)
  return {
    threshold,
    clear,
    for: time,
    samples: whole(config.samples ?? defaults.samples ?? 1, `${place}.samples`, 1, 100),
    ...(defaults.window === undefined || defaults.minimum === undefined
      ? {}
      : {
          window: duration(config.window ?? defaults.window, `${place}.window`, 60_000),
          minimum: whole(config.minimum ?? defaults.minimum, `${place}.minimum`, 1, 1_000_000),
        }),
  }
}

/** A worker that is no longer registered is not silent: nothing would ever open. */
function assertOpens(threshold: number, time: number, config: AlertRuleConfig, place: string) {
  if (threshold + time < WORKER_FORGOTTEN_AFTER) return
  const key = threshold < WORKER_FORGOTTEN_AFTER ? 'for' : 'threshold'
  const most = WORKER_FORGOTTEN_AFTER - (key === 'for' ? threshold : 0)
  throw wrong(
    `${place}.${key}`,
    config[key],
    `give less than ${most} ms: a worker that has not reported for ${WORKER_FORGOTTEN_AFTER} ms is taken off the list`
  )
}
