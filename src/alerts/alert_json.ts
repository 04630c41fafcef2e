import type { AlertMute, AlertView } from '../types.ts'

/**
 * An alert as JSON has it: moments ISO 8601.
 */
export function alertJson(alert: AlertView) {
  const { openedAt, seenAt, clearedAt, acknowledged, mute } = alert
  return {
    id: alert.id,
    rule: alert.rule,
    subject: alert.subject,
    title: alert.title,
    text: alert.text,
    remedy: alert.remedy,
    unit: alert.unit,
    value: alert.value,
    threshold: alert.threshold,
    openedAt: iso(openedAt),
    seenAt: iso(seenAt),
    clearedAt: iso(clearedAt),
    acknowledged: acknowledged && { at: iso(acknowledged.at), by: acknowledged.by },
    mute: mute && muteJson(mute),
  }
}

export function muteJson({ rule, subject, until, by, at }: AlertMute) {
  return { rule, subject, until: iso(until), by, at: iso(at) }
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
