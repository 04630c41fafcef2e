import {
  ALERT_RULES,
  ALERT_SPECIFICATIONS,
  type AlertRule,
  type AlertRuleSettings,
} from './alert_rules.ts'
import type { AlertRuleConfig, AlertsConfig, AlertSettings } from './alert_types.ts'
import { assertKnownKeys, duration, whole, wrong, yesOrNo } from './config_checks.ts'
import type { Duration } from './types.ts'

const KNOWN = ['automatic', 'every', 'rules']

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
  }
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
  return {
    threshold,
    clear,
    for: duration(config.for ?? defaults.for, `${place}.for`, 0),
    samples: whole(config.samples ?? defaults.samples ?? 1, `${place}.samples`, 1, 100),
  }
}
