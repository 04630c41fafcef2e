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
import type { Session } from '../records/dialect/session.ts'
import type { Records } from '../records/records.ts'
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
    await this.find(id)
    return this.#dependencies.transport.trail.act(
      { actor, action: 'acknowledge', target: { kind: 'alert', id: String(id) } },
      () => this.#acknowledge(id, actor),
      ({ outcome, reason, alert: { rule, subject } }) => ({
        outcome,
        reason,
        detail: { rule, subject },
      })
    )
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
    assertMuteLength(milliseconds)
    /** Whoever watches compares the end with Redis' clock. */
    const at = await this.#time()
    const until = milliseconds === null ? null : at + milliseconds
    const mute: AlertMute = { ...about, until, at, by: nameOf(actor) }
    const detail = { for: milliseconds === null ? 'ever' : milliseconds }
    await this.#act('mute', mute, detail, actor, (session) => putMute(session, mute))
    return mute
  }

  /** Ends a mute; false when there is none. */
  async unmute(rule: unknown, subject: string | null, actor: Actor): Promise<boolean> {
    const about = { rule: knownRule(rule), subject: knownSubject(subject) }
    const now = await this.#time()
    return this.#act('unmute', about, {}, actor, async (session) => {
      await eraseMutes(session, now)
      return removeMute(session, about.rule, about.subject)
    })
  }

  async #acknowledge(id: number, actor: Actor): Promise<AlertAnswer> {
    const at = await this.#time()
    const done = await this.#write((session) => acknowledgeAlert(session, id, at, nameOf(actor)))
    const alert = await this.find(id)
    if (done) {
      this.#dependencies.emit('queuedeck:alert:acknowledged', alert)
      await this.#tell()
    }
    if (alert.acknowledged) return { outcome: 'done', reason: null, alert }
    return { outcome: 'too_late', reason: 'The alert is over', alert }
  }

  #now(): number {
    return this.#dependencies.now?.() ?? Date.now()
  }

  /** Mutes are named by what they are about. */
  async #act<T>(
    action: 'mute' | 'unmute',
    { rule, subject }: Pick<AlertMute, 'rule' | 'subject'>,
    detail: Record<string, unknown>,
    actor: Actor,
    write: (session: Session) => Promise<T>
  ): Promise<T> {
    const target = { kind: 'alert' as const, id: subject === null ? rule : `${rule} ${subject}` }
    const answer = await this.#dependencies.transport.trail.act(
      { actor, action, target, detail: { rule, subject, ...detail } },
      () => this.#write(write),
      () => ({})
    )
    await this.#tell()
    return answer
  }

  #time(): Promise<number> {
    const { transport, now } = this.#dependencies
    if (now) return Promise.resolve(now())
    return transport.connections
      .produce('its clock cannot be read', (client) => transport.time(client))
      .catch(() => Date.now())
  }

  /** What was done stays done when Redis is away: pages then see it when they ask next. */
  async #tell(): Promise<void> {
    const { transport } = this.#dependencies
    await transport.connections
      .produce('open pages were not told', (client) => tellPages(transport, client))
      .catch(() => {})
  }

  #write<T>(action: (session: Session) => Promise<T>): Promise<T> {
    return this.#dependencies.records.ledger.transaction('nothing was changed', action)
  }
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

function assertMuteLength(milliseconds: number | null): void {
  if (milliseconds === null) return
  if (milliseconds >= SHORTEST_MUTE && milliseconds <= LONGEST_MUTE) return
  throw new InvalidInputException(
    '"for" must be a duration from 1s to 3650d such as "8h", or "ever"',
    'for'
  )
}
