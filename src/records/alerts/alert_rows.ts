import type { AlertRule } from '../../alert_rules.ts'
import { cutText } from '../../cut_text.ts'
import type { Session } from '../dialect/session.ts'
import { storable, storableShort, storedName } from '../storable.ts'
import { ALERT_COLUMNS } from '../service_columns.ts'
import { TABLES } from '../tables.ts'

/** What an alert says of itself. */
export type AlertFacts = {
  value: number
  threshold: number
  /** What is so, in a sentence. */
  text: string
}

/** One message about an alert, to one receiver. */
export type Delivery = {
  event: 'opened' | 'cleared'
  /** Which of the configured receivers. */
  target: string
  state: 'due' | 'sent' | 'failed'
  attempts: number
  /** When it is tried next, epoch ms. */
  at: number
  error: string | null
}

/**
 * One alert as it is stored. Moments are epoch milliseconds.
 */
export type AlertRow = {
  seq: number
  rule: AlertRule
  subject: string
  openedAt: number
  seenAt: number
  clearedAt: number | null
  acknowledgedAt: number | null
  acknowledgedBy: string | null
  announced: boolean
  facts: AlertFacts
  delivery: Delivery[]
  dueAt: number | null
}

export type NewAlert = Pick<AlertRow, 'rule' | 'subject' | 'openedAt' | 'seenAt' | 'facts'>

const ROWS = { table: TABLES.alerts, columns: ALERT_COLUMNS, existing: 'fail' } as const

const COLUMNS = ALERT_COLUMNS.map(({ name }) => name).join(', ')

const LONGEST_TEXT = 1_000

/** A subject as alerts hold it: whoever compares subjects compares these. */
export function alertSubject(name: string): string {
  return storedName(name)
}

/**
 * Opens an alert, unless one of this rule and subject is open; answers its number, or null. Call it under the lock of records:
 * it keeps two processes from taking the same number.
 *
 * @param over  It is recorded as one that is over already.
 */
export async function insertAlert(
  session: Session,
  alert: NewAlert,
  over: { clearedAt: number } | null = null
): Promise<number | null> {
  const subject = alertSubject(alert.subject)
  const key = over === null ? openKey(alert.rule, subject) : null
  if (key !== null) {
    const open = await session.all('select seq from queuedeck_alerts where open_key = ?', [key])
    if (open.length > 0) return null
  }
  const [{ newest }] = await session.all('select max(seq) as newest from queuedeck_alerts')
  const seq = Number(newest ?? 0) + 1
  const values: Record<string, unknown> = {
    seq,
    rule: alert.rule,
    subject,
    open_key: key,
    opened_at: alert.openedAt,
    seen_at: alert.seenAt,
    cleared_at: over?.clearedAt ?? null,
    announced: over === null ? 0 : 1,
    facts: factsText(alert.facts),
  }
  await session.put(ROWS, [ALERT_COLUMNS.map(({ name }) => values[name] ?? null)])
  return seq
}

/** Notes that an open alert still is so. */
export async function touchAlert(
  session: Session,
  seq: number,
  seenAt: number,
  facts: AlertFacts
): Promise<void> {
  await session.run(
    'update queuedeck_alerts set seen_at = ?, facts = ? where seq = ? and cleared_at is null',
    [seenAt, factsText(facts), seq]
  )
}

/** Ends an alert; false when another process did. */
export async function endAlert(session: Session, seq: number, at: number): Promise<boolean> {
  const found = await session.run(
    'update queuedeck_alerts set cleared_at = ?, open_key = null where seq = ? and cleared_at is null',
    [at, seq]
  )
  return found === 1
}

/** Takes the telling of an open alert upon oneself; false when another process did. */
export async function claimAnnouncement(session: Session, seq: number): Promise<boolean> {
  const found = await session.run(
    'update queuedeck_alerts set announced = 1 where seq = ? and announced = 0',
    [seq]
  )
  return found === 1
}

/** False when it is over, or somebody acknowledged it before. */
export async function acknowledgeAlert(
  session: Session,
  seq: number,
  at: number,
  by: string
): Promise<boolean> {
  const found = await session.run(
    'update queuedeck_alerts set acknowledged_at = ?, acknowledged_by = ? where seq = ? and cleared_at is null and acknowledged_at is null',
    [at, storableShort(by), seq]
  )
  return found === 1
}

/** What is to be sent for an alert, with the moment of the next attempt (null: nothing is left). */
export async function writeDelivery(
  session: Session,
  seq: number,
  delivery: Delivery[]
): Promise<void> {
  /** Of each receiver's messages only the first: the others wait for it, and would be looked at in vain as often as there is time. */
  const due = new Map<string, number>()
  for (const { target, state, at } of delivery) {
    if (state === 'due' && !due.has(target)) due.set(target, at)
  }
  await session.run('update queuedeck_alerts set delivery = ?, due_at = ? where seq = ?', [
    JSON.stringify(delivery),
    due.size > 0 ? Math.min(...due.values()) : null,
    seq,
  ])
}

/** Takes what is due for an alert upon oneself until a moment; false when another process did. */
export async function claimDelivery(
  session: Session,
  { seq, dueAt }: Pick<AlertRow, 'seq' | 'dueAt'>,
  until: number
): Promise<boolean> {
  const found = await session.run(
    'update queuedeck_alerts set due_at = ? where seq = ? and due_at = ?',
    [until, seq, dueAt]
  )
  return found === 1
}

/** Removes alerts that were over before a moment; answers how many. */
export function eraseAlerts(session: Session, before: number): Promise<number> {
  return session.run('delete from queuedeck_alerts where cleared_at < ?', [before])
}

/** How many alerts were over before a moment. */
export async function countAlerts(session: Reading, before: number): Promise<number> {
  const [{ n }] = await session.all(
    'select count(*) as n from queuedeck_alerts where cleared_at < ?',
    [before]
  )
  return Number(n)
}

export type Reading = {
  all(sql: string, values?: readonly unknown[]): Promise<Record<string, any>[]>
}

/** Open alerts, newest first. */
export async function readOpenAlerts(db: Reading): Promise<AlertRow[]> {
  return rows(
    await db.all(
      `select ${COLUMNS} from queuedeck_alerts where open_key is not null order by seq desc`
    )
  )
}

/** Alerts that are over, newest first; below a number where one is given. */
export async function readPastAlerts(
  db: Reading,
  { limit, below }: { limit: number; below?: number }
): Promise<AlertRow[]> {
  const condition = below === undefined ? '' : ' and seq < ?'
  return rows(
    await db.all(
      `select ${COLUMNS} from queuedeck_alerts where cleared_at is not null${condition} order by seq desc limit ?`,
      [...(below === undefined ? [] : [below]), limit]
    )
  )
}

export async function readAlert(db: Reading, seq: number): Promise<AlertRow | null> {
  const found = await db.all(`select ${COLUMNS} from queuedeck_alerts where seq = ?`, [seq])
  return rows(found)[0] ?? null
}

/** Alerts of which something is to be sent by a moment, the longest due first. */
export async function readDueAlerts(db: Reading, by: number, limit: number): Promise<AlertRow[]> {
  return rows(
    await db.all(
      `select ${COLUMNS} from queuedeck_alerts where due_at <= ? order by due_at limit ?`,
      [by, limit]
    )
  )
}

function openKey(rule: AlertRule, subject: string): string {
  return `${rule}|${subject}`
}

function factsText({ value, threshold, text }: AlertFacts): string {
  return JSON.stringify({ value, threshold, text: cutText(storable(text), LONGEST_TEXT) })
}

function rows(found: Record<string, any>[]): AlertRow[] {
  const moment = (value: unknown) => (value === null ? null : Number(value))
  return found.map((row) => ({
    seq: Number(row.seq),
    rule: row.rule,
    subject: row.subject,
    openedAt: Number(row.opened_at),
    seenAt: Number(row.seen_at),
    clearedAt: moment(row.cleared_at),
    acknowledgedAt: moment(row.acknowledged_at),
    acknowledgedBy: row.acknowledged_by,
    announced: row.announced === 1,
    facts: JSON.parse(row.facts) as AlertFacts,
    delivery: row.delivery === null ? [] : (JSON.parse(row.delivery) as Delivery[]),
    dueAt: moment(row.due_at),
  }))
}
