import { ALERT_RULES, type AlertRule } from '../alert_rules.ts'
import type { AlertRow } from '../records/alerts/alert_rows.ts'
import { alertSubject } from '../records/alerts/alert_rows.ts'
import type { Records } from '../records/records.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import type { EmitEvent } from '../events.ts'
import type { AlertMute, ResolvedConfig } from '../types.ts'
import { AlertBook, type AlertChanges, type Told } from './alert_book.ts'
import { alertView } from './alert_view.ts'
import { Conditions } from './conditions.ts'
import { DatabaseWatch } from './database_watch.ts'
import type { Deliverer } from './deliverer.ts'
import type { Reading, Readings } from './readings.ts'
import {
  cleanupAge,
  failureRates,
  missedSchedules,
  oldestPending,
  positionsOf,
} from './record_readings.ts'
import { lookAtRedis, mirrorReading, redisReadings } from './redis_readings.ts'
import { tellPages } from './tell_pages.ts'

export type AlertLogger = {
  debug(bindings: object, message: string): void
  warn(bindings: object, message: string): void
}

export type WatchDependencies = {
  transport: Transport
  records: Pick<Records, 'reader' | 'db' | 'ledger' | 'metrics' | 'schedules'>
  config: Pick<ResolvedConfig, 'alerts' | 'cleanup' | 'queues'>
  logger: AlertLogger
  emit: EmitEvent
  /** Sends messages about alerts. */
  deliverer: Pick<Deliverer, 'targets' | 'run' | 'sendNow'>
  /** For tests: the time of all looks, epoch ms. Default: Redis' clock. */
  now?: () => number
}

/** Alerts of one rule that may be open at once: more say the same once more. */
const MOST_OPEN = 100

/**
 * Looks once at everything that rules watch, and opens and closes alerts. Any number of processes may look at the same time.
 */
export class Watch {
  /** How far Redis' clock is ahead of this machine's when it was last asked, ms. */
  #ahead = 0
  #since: number | null = null
  /** As they were when the database last answered. */
  #mutes: AlertMute[] = []
  #conditions = new Conditions()
  #dependencies: WatchDependencies
  #book: AlertBook
  #database: DatabaseWatch

  constructor(dependencies: WatchDependencies) {
    this.#dependencies = dependencies
    this.#book = new AlertBook(dependencies.records, dependencies.deliverer.targets)
    this.#database = new DatabaseWatch(dependencies, this.#book)
  }

  /** The time of looks, as far as this process knows it; also while Redis is away. */
  get now(): number {
    return this.#dependencies.now?.() ?? Date.now() + this.#ahead
  }

  /**
   * One look. While the database is away nothing but that is told, after its time; the look afterwards finds the rest.
   *
   * @throws whatever Redis' client throws
   */
  async look(client: RedisClient): Promise<void> {
    const { transport, config, now: injected } = this.#dependencies
    if (!injected) this.#ahead = (await transport.time(client)) - Date.now()
    const { now } = this
    this.#since ??= now
    const view = await lookAtRedis(transport, client, config, now)
    const readings = await redisReadings(view, transport, client)
    let book: { open: AlertRow[]; mutes: AlertMute[] }
    try {
      book = await this.#book.read(now)
      this.#mutes = book.mutes
      for (const [rule, read] of Object.entries(this.#recordRules(view, client))) {
        if (config.alerts.rules[rule as AlertRule]) readings.set(rule as AlertRule, await read())
      }
      await this.#conclude(readings, book, now, client)
      await this.#database.answered(client, now)
    } catch (error) {
      if (!isAway(error)) throw error
      /** Goes on counting for how long what Redis tells has been so. */
      this.#changes(readings, [], now)
      await this.#database.away(client, now, error as Error, this.#mutes)
    }
  }

  /**
   * Opens the alert that this host cannot reach Redis, or closes it. Needs no Redis.
   *
   * @throws E_DATABASE_UNAVAILABLE
   */
  async redis(host: string, away: { since: number; text: string } | null): Promise<void> {
    const settings = this.#dependencies.config.alerts.rules.redisAway
    if (!settings) return
    const { now } = this
    const { open, mutes } = await this.#book.read(now)
    const own = open.find(
      ({ rule, subject }) => rule === 'redisAway' && subject === alertSubject(host)
    )
    const changes: AlertChanges = { open: [], touch: [], clear: [] }
    if (away === null) {
      if (own) changes.clear.push(own)
    } else {
      const value = Math.round(now - away.since)
      const facts = { value, threshold: settings.threshold, text: away.text }
      if (own) changes.touch.push({ seq: own.seq, facts })
      else {
        changes.open.push({
          rule: 'redisAway',
          subject: host,
          openedAt: now,
          seenAt: now,
          facts,
        })
      }
    }
    const told = await this.#book.write(changes, own ? [own] : [], mutes, now)
    this.#tell(told, mutes)
  }

  #recordRules(
    view: Awaited<ReturnType<typeof lookAtRedis>>,
    client: RedisClient
  ): Partial<Record<AlertRule, () => Promise<Reading[]>>> {
    const { transport, records, config } = this.#dependencies
    const {
      oldestPending: oldest,
      failureRate: failures,
      missedSchedule: missed,
    } = config.alerts.rules
    return {
      oldestPending: () => oldestPending(records, view, oldest?.clear ?? 0),
      failureRate: async () => (failures ? failureRates(records, view.now, failures) : []),
      missedSchedule: () =>
        missedSchedules(records, view.now, missed?.clear ?? 0, (jobs) =>
          transport.scheduled.states(jobs)
        ),
      cleanupOverdue: () => cleanupAge(records, config, view.now, this.#since!),
      mirrorLag: () => mirrorReading(view, transport, client, () => positionsOf(records)),
    }
  }

  async #conclude(
    readings: Readings,
    { open, mutes }: { open: AlertRow[]; mutes: AlertMute[] },
    now: number,
    client: RedisClient
  ): Promise<void> {
    const changes = this.#changes(readings, open, now)
    const told = await this.#book.write(changes, open, mutes, now)
    const hasChanged = changes.open.length + changes.clear.length + told.opened.length > 0
    this.#tell(told, mutes)
    if (hasChanged) await tellPages(this.#dependencies.transport, client, told)
  }

  #changes(readings: Readings, open: AlertRow[], now: number): AlertChanges {
    const changes: AlertChanges = { open: [], touch: [], clear: [] }
    for (const rule of ALERT_RULES) this.#ruleChanges(rule, readings, open, now, changes)
    return changes
  }

  #ruleChanges(
    rule: AlertRule,
    readings: Readings,
    open: AlertRow[],
    now: number,
    changes: AlertChanges
  ): void {
    const settings = this.#dependencies.config.alerts.rules[rule]
    const own = open.filter((alert) => alert.rule === rule)
    /** A rule that was switched off lets nothing stand. */
    if (!settings) return void changes.clear.push(...own)
    if (rule === 'redisAway') return void changes.clear.push(...own.filter(isForgotten(now)))
    const seen = readings.get(rule)
    if (!seen) return
    const bySubject = new Map(seen.map((reading) => [alertSubject(reading.subject), reading]))
    for (const alert of own) {
      const reading = bySubject.get(alert.subject)
      if (!reading || reading.value < settings.clear) changes.clear.push(alert)
      else {
        /** Between the two thresholds it stays as it was. */
        const facts =
          reading.value < settings.threshold ? alert.facts : factsOf(reading, settings.threshold)
        changes.touch.push({ seq: alert.seq, facts })
      }
    }
    const isOpen = new Set(own.map(({ subject }) => subject))
    const opening = [...bySubject].filter(
      ([subject, reading]) =>
        this.#conditions.mustOpen(rule, { ...reading, subject }, settings, now) &&
        !isOpen.has(subject)
    )
    this.#conditions.keep(rule, new Set(bySubject.keys()))
    const room = Math.max(0, MOST_OPEN - own.length)
    if (opening.length > room) {
      const left = opening.length - room
      this.#dependencies.logger.warn({ rule, left }, `Alerts: ${MOST_OPEN} of one rule are open`)
    }
    for (const [, reading] of opening.slice(0, room)) {
      const facts = factsOf(reading, settings.threshold)
      changes.open.push({ rule, subject: reading.subject, openedAt: now, seenAt: now, facts })
    }
  }

  #tell({ opened, cleared }: Told, mutes: AlertMute[]): void {
    const { emit, logger } = this.#dependencies
    for (const row of opened) {
      logger.warn({ rule: row.rule, subject: row.subject }, `Alert: ${row.facts.text}`)
      emit('queuedeck:alert:opened', alertView(row, mutes))
    }
    for (const row of cleared) emit('queuedeck:alert:cleared', alertView(row, mutes))
  }
}

/** Processes of the host would have told anew, unless it is gone. */
const FORGOTTEN_AFTER = 120_000

function isForgotten(now: number) {
  return ({ seenAt }: AlertRow) => now - seenAt > FORGOTTEN_AFTER
}

function factsOf({ value, text }: Reading, threshold: number) {
  return { value: Math.round(value * 10) / 10, threshold, text }
}

function isAway(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'E_DATABASE_UNAVAILABLE'
}
