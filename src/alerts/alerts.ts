import { randomUUID } from 'node:crypto'
import { isAlertRule, type AlertRule } from '../alert_rules.ts'
import { E_ALERT_NOT_FOUND, InvalidInputException } from '../errors.ts'
import type { EmitEvent } from '../events.ts'
import { eraseMutes, putMute, readMutes, removeMute } from '../records/alerts/alert_mutes.ts'
import {
  acknowledgeAlert,
  readAlert,
  readOpenAlerts,
  readPastAlerts,
} from '../records/alerts/alert_rows.ts'
import { writeAudit } from '../records/audit/audit_log.ts'
import type { Session } from '../records/dialect/session.ts'
import type { Records } from '../records/records.ts'
import { type AuditAct, type AuditTarget, outcomeOf } from '../transport/audit_trail.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import type { Actor, AlertMute, AlertView, ResolvedConfig } from '../types.ts'
import { alertView } from './alert_view.ts'
import { readDatabaseAlert } from './database_watch.ts'
import { tellPages } from './tell_pages.ts'
import { shown } from '../shown.ts'

export type AlertsDependencies = {
  transport: Transport
  records: Pick<Records, 'db' | 'ledger'>
  config: Pick<ResolvedConfig, 'alerts'>
  emit: EmitEvent
  now?: () => number
}

/** What acknowledging an alert came to. `done` also where somebody had done it before. */
export type AlertAnswer = {
  outcome: 'done' | 'too_late'
  reason: string | null
  alert: AlertView
}

/** Longest subject that can be muted. */
const LONGEST_SUBJECT = 1_000

/** A mute that ends at once was meant as something else, and so was one whose end no calendar has, ms. */
const SHORTEST_MUTE = 1_000
const LONGEST_MUTE = 3_650 * 86_400_000

/**
 * Alerts as people and programs read and answer them. Binding `queuedeck.alerts`. All methods throw E_DATABASE_UNAVAILABLE while the
 * database is away, unless they say otherwise.
 */
export class Alerts {
  #dependencies: AlertsDependencies

  constructor(dependencies: AlertsDependencies) {
    this.#dependencies = dependencies
  }

  /** Open alerts, newest first. */
  async open(): Promise<AlertView[]> {
    const { db } = this.#dependencies.records
    const [rows, mutes] = await Promise.all([readOpenAlerts(db), this.mutes()])
    return rows.map((row) => alertView(row, mutes))
  }

  /**
   * The alert that the database is away, which only Redis knows then; null while it is not open.
   *
   * @throws E_REDIS_UNAVAILABLE
   */
  async databaseAway(): Promise<AlertView | null> {
    const { transport, config } = this.#dependencies
    const threshold = config.alerts.rules.databaseAway?.threshold
    if (threshold === undefined) return null
    return transport.connections.produce('alerts cannot be seen', (client) =>
      readDatabaseAlert(transport, client, threshold)
    )
  }

  /** Alerts that are over, newest first; with `below` those before the one of this number. */
  async past(page: { limit: number; below?: number }): Promise<AlertView[]> {
    const { db } = this.#dependencies.records
    const [rows, mutes] = await Promise.all([readPastAlerts(db, page), this.mutes()])
    return rows.map((row) => alertView(row, mutes))
  }

  /** @throws E_ALERT_NOT_FOUND */
  async find(id: number): Promise<AlertView> {
    const { db } = this.#dependencies.records
    const row = await readAlert(db, id)
    if (!row) throw new E_ALERT_NOT_FOUND([String(id)])
    return alertView(row, await this.mutes())
  }

  /** Mutes that hold now, newest first. */
  mutes(): Promise<AlertMute[]> {
    return readMutes(this.#dependencies.records.db, this.#now())
  }

  /**
   * Notes that somebody takes care of an alert. It stays open until its cause is over.
   *
   * @throws E_ALERT_NOT_FOUND
   */
  async acknowledge(id: number, actor: Actor): Promise<AlertAnswer> {
    const { rule, subject } = await this.find(id)
    const at = await this.#time()
    const act: AuditAct = {
      ...{ actor, action: 'acknowledge', detail: { rule, subject } },
      target: { kind: 'alert', id: String(id) },
    }
    const { isFirst, ...answer } = await this.#act(at, act, async (session) => {
      const done = await acknowledgeAlert(session, id, at, nameOf(actor))
      const row = done ? null : await readAlert(session, id)
      return done || (row && row.acknowledgedAt !== null)
        ? { outcome: 'done' as const, reason: null, isFirst: done }
        : { outcome: 'too_late' as const, reason: 'The alert is over', isFirst: false }
    })
    const alert = await this.find(id)
    if (isFirst) this.#dependencies.emit('queuedeck:alert:acknowledged', alert)
    return { ...answer, alert }
  }

  /**
   * Keeps the alerts of a rule, about one subject or about all (null), from being told and sent. They are still recorded, and told when
   * the mute ends before they do.
   *
   * @param milliseconds  from a second to 3,650 days; null: for ever
   * @throws InvalidInputException
   */
  async mute(
    rule: unknown,
    subject: string | null,
    milliseconds: number | null,
    actor: Actor
  ): Promise<AlertMute> {
    const about = { rule: knownRule(rule), subject: knownSubject(subject) }
    const length = muteLength(milliseconds)
    /** Whoever watches compares the end with Redis' clock. */
    const at = await this.#time()
    const until = length === null ? null : at + length
    const mute: AlertMute = { ...about, until, at, by: nameOf(actor) }
    const detail = { ...about, for: length ?? 'ever' }
    const act: AuditAct = { actor, action: 'mute', target: muted(about), detail }
    await this.#act(at, act, (session) => putMute(session, mute))
    return mute
  }

  /** Ends a mute; false when there is none. */
  async unmute(rule: unknown, subject: string | null, actor: Actor): Promise<boolean> {
    const about = { rule: knownRule(rule), subject: knownSubject(subject) }
    const now = await this.#time()
    const act: AuditAct = { actor, action: 'unmute', target: muted(about), detail: about }
    return this.#act(now, act, async (session) => {
      await eraseMutes(session, now)
      return removeMute(session, about.rule, about.subject)
    })
  }

  #now(): number {
    return this.#dependencies.now?.() ?? Date.now()
  }

  /**
   * Changes the records, and notes in the same transaction who did, and what came of it as the answer says. Redis, where other actions
   * are noted first, may be what an alert is about.
   */
  async #act<T>(
    at: number,
    { detail = {}, ...act }: AuditAct,
    work: (session: Session) => Promise<T>
  ): Promise<T> {
    const { ledger } = this.#dependencies.records
    const answer = await ledger.transaction('nothing was changed', async (session) => {
      // Whoever watches takes this lock first, too, and then changes alerts.
      await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
      const changed = await work(session)
      const entry = { id: randomUUID(), ...act, detail, ...outcomeOf(changed) }
      await writeAudit(session, [{ at, entry }])
      return changed
    })
    await this.#tell()
    return answer
  }

  async #time(): Promise<number> {
    const { transport, now } = this.#dependencies
    if (now) return now()
    const time = await this.#fromRedis((client) => transport.time(client))
    return time ?? Date.now()
  }

  /** What was done stays done when Redis is away: pages then see it when they ask next. */
  async #tell(): Promise<void> {
    const { transport } = this.#dependencies
    await this.#fromRedis((client) => tellPages(transport, client))
  }

  /** What Redis answers; null while it is away, without waiting for it where that is known. */
  async #fromRedis<T>(work: (client: RedisClient) => Promise<T>): Promise<T | null> {
    const { connections } = this.#dependencies.transport
    if (connections.outage.since !== null) return null
    return connections.produce('alerts go on without it', work).catch(() => null)
  }
}

/** Mutes are named by what they are about. */
function muted({ rule, subject }: Pick<AlertMute, 'rule' | 'subject'>): AuditTarget {
  return { kind: 'alert', id: subject === null ? rule : `${rule} ${subject}` }
}

/** As lists show who did something. */
function nameOf({ id, name }: Actor): string {
  return name ?? id
}

function knownRule(rule: unknown): AlertRule {
  if (isAlertRule(rule)) return rule
  throw new InvalidInputException(`"${shown(rule, 60)}" is no rule of alerts`, 'rule')
}

function knownSubject(subject: unknown): string | null {
  if (subject === null) return null
  if (typeof subject === 'string' && subject !== '' && subject.length <= LONGEST_SUBJECT) {
    return subject
  }
  throw new InvalidInputException(
    'Give as "subject" what the alert is about, at most 1,000 letters, or leave it out for all of the rule',
    'subject'
  )
}

/** In whole milliseconds, which alone can be stored: code may have computed parts of one. */
function muteLength(milliseconds: number | null): number | null {
  if (milliseconds === null) return null
  const whole = typeof milliseconds === 'number' ? Math.round(milliseconds) : Number.NaN
  if (whole >= SHORTEST_MUTE && whole <= LONGEST_MUTE) return whole
  throw new InvalidInputException(
    '"for" must be a duration from 1s to 3650d such as "8h", or "ever"',
    'for'
  )
}
