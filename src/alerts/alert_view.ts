import { ALERT_SPECIFICATIONS, type AlertRule } from '../alert_rules.ts'
import type { AlertRow } from '../records/alerts/alert_rows.ts'
import { alertSubject } from '../records/alerts/alert_rows.ts'
import type { AlertMute, AlertView } from '../types.ts'

/**
 * An alert as pages, JSON, events and messages show it.
 */
export function alertView(row: AlertRow, mutes: readonly AlertMute[]): AlertView {
  const { title, remedy, unit } = ALERT_SPECIFICATIONS[row.rule]
  return {
    id: row.seq,
    rule: row.rule,
    subject: row.subject,
    title,
    text: row.facts.text,
    remedy,
    unit,
    value: row.facts.value,
    threshold: row.facts.threshold,
    openedAt: row.openedAt,
    seenAt: row.seenAt,
    clearedAt: row.clearedAt,
    acknowledged:
      row.acknowledgedAt === null ? null : { at: row.acknowledgedAt, by: row.acknowledgedBy ?? '' },
    mute: muteOf(row.rule, row.subject, mutes),
  }
}

/** The mute that covers a subject: its own, else that of the whole rule. */
export function muteOf(
  rule: AlertRule,
  subject: string,
  mutes: readonly AlertMute[]
): AlertMute | null {
  const stored = alertSubject(subject)
  const covering = mutes.filter((mute) => mute.rule === rule)
  return (
    covering.find((mute) => mute.subject === stored) ??
    covering.find((mute) => mute.subject === null) ??
    null
  )
}
