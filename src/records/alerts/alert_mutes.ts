import type { AlertRule } from '../../alert_rules.ts'
import type { AlertMute } from '../../alert_types.ts'
import type { Session } from '../dialect/session.ts'
import { storableShort, storedName } from '../storable.ts'
import { ALERT_MUTE_COLUMNS } from '../service_columns.ts'
import { TABLES } from '../tables.ts'
import type { Reading } from './alert_rows.ts'

const MUTES = {
  table: TABLES.alertMutes,
  columns: ALERT_MUTE_COLUMNS,
  existing: { until_at: 'replace', made_at: 'replace', made_by: 'replace' },
} as const

/** Mutes, in place of a mute of the same rule and subject. */
export async function putMute(session: Session, mute: AlertMute): Promise<void> {
  const { rule, subject, until, at, by } = mute
  await session.put(MUTES, [[rule, storedSubject(subject), until, at, storableShort(by)]])
}

/** False when there was none. */
export async function removeMute(
  session: Session,
  rule: AlertRule,
  subject: string | null
): Promise<boolean> {
  const removed = await session.run(
    'delete from queuedeck_alert_mutes where rule = ? and subject = ?',
    [rule, storedSubject(subject)]
  )
  return removed > 0
}

/** Mutes that hold at a moment, newest first. */
export async function readMutes(db: Reading, now: number): Promise<AlertMute[]> {
  const rows = await db.all(
    'select rule, subject, until_at, made_at, made_by from queuedeck_alert_mutes where until_at is null or until_at > ? order by made_at desc, rule, subject',
    [now]
  )
  return rows.map((row) => ({
    rule: row.rule as AlertRule,
    subject: row.subject === '' ? null : row.subject,
    until: row.until_at === null ? null : Number(row.until_at),
    at: Number(row.made_at),
    by: row.made_by,
  }))
}

/** Removes mutes that ended before a moment. */
export function eraseMutes(session: Session, before: number): Promise<number> {
  return session.run('delete from queuedeck_alert_mutes where until_at < ?', [before])
}

function storedSubject(subject: string | null): string {
  return subject === null ? '' : storedName(subject)
}
