import type { AlertRule } from '../alert_rules.ts'
import { readMutes } from '../records/alerts/alert_mutes.ts'
import {
  claimAnnouncement,
  endAlert,
  insertAlert,
  readAlert,
  readOpenAlerts,
  touchAlert,
  writeDelivery,
  type AlertFacts,
  type AlertRow,
  type Delivery,
  type NewAlert,
} from '../records/alerts/alert_rows.ts'
import type { Session } from '../records/dialect/session.ts'
import type { Records } from '../records/records.ts'
import type { AlertMute } from '../types.ts'
import { muteOf } from './alert_view.ts'

/** What one look changes. */
export type AlertChanges = {
  open: NewAlert[]
  touch: { seq: number; facts: AlertFacts }[]
  clear: AlertRow[]
}

/** Alerts that this process has to tell of. */
export type Told = { opened: AlertRow[]; cleared: AlertRow[] }

type Store = Pick<Records, 'db' | 'ledger'>

const FAILED = 'alerts cannot be written'

/**
 * The alerts in the records, as whoever watches writes them. Any number of processes may: each change is made by exactly one.
 */
export class AlertBook {
  #records: Store
  #targets: readonly string[]

  /** @param targets  Receivers of messages about alerts. */
  constructor(records: Store, targets: readonly string[]) {
    this.#records = records
    this.#targets = targets
  }

  /** @throws E_DATABASE_UNAVAILABLE, E_MIGRATIONS_MISSING */
  async read(now: number): Promise<{ open: AlertRow[]; mutes: AlertMute[] }> {
    const { db } = this.#records
    const [open, mutes] = await Promise.all([readOpenAlerts(db), readMutes(db, now)])
    return { open, mutes }
  }

  /**
   * Writes what changed, in one transaction. What opened is told unless it is muted, also later when the mute has ended; whoever was told
   * of an alert is told of its end.
   *
   * @param open  Alerts that were open before
   */
  async write(
    changes: AlertChanges,
    open: AlertRow[],
    mutes: AlertMute[],
    now: number
  ): Promise<Told> {
    const ending = new Set(changes.clear.map(({ seq }) => seq))
    const isMuted = (rule: AlertRule, subject: string) => muteOf(rule, subject, mutes) !== null
    const untold = open.filter(
      ({ announced, seq, rule, subject }) =>
        !announced && !ending.has(seq) && !isMuted(rule, subject)
    )
    if (changes.open.length + changes.clear.length + untold.length === 0) {
      await this.#touch(changes, now)
      return { opened: [], cleared: [] }
    }
    return this.#locked(async (session) => {
      const told: Told = { opened: [], cleared: [] }
      const announce = [...untold.map(({ seq }) => seq)]
      for (const alert of changes.open) {
        const seq = await insertAlert(session, alert)
        if (seq !== null && !isMuted(alert.rule, alert.subject)) announce.push(seq)
      }
      for (const { seq, facts } of changes.touch) await touchAlert(session, seq, now, facts)
      for (const seq of announce) {
        if (!(await claimAnnouncement(session, seq))) continue
        told.opened.push(await this.#send(session, seq, 'opened', now))
      }
      for (const { seq } of changes.clear) {
        if (!(await endAlert(session, seq, now))) continue
        const row = (await readAlert(session, seq))!
        if (row.announced) told.cleared.push(await this.#send(session, seq, 'cleared', now))
      }
      return told
    })
  }

  /**
   * Records an alert that is over already, and was told of when it could not be recorded.
   *
   * @param claim  Answers whether it is this process that records it
   * @returns null when another process did
   */
  async writePast(
    alert: NewAlert,
    clearedAt: number,
    claim: () => Promise<boolean>
  ): Promise<AlertRow | null> {
    return this.#locked(async (session) => {
      if (!(await claim())) return null
      const seq = (await insertAlert(session, alert, { clearedAt }))!
      return this.#send(session, seq, 'cleared', clearedAt)
    })
  }

  async #touch({ touch }: AlertChanges, now: number): Promise<void> {
    if (touch.length === 0) return
    await this.#records.ledger.transaction(FAILED, async (session) => {
      for (const { seq, facts } of touch) await touchAlert(session, seq, now, facts)
    })
  }

  /** Under the lock of records: numbers are given by one process at a time. */
  #locked<T>(action: (session: Session) => Promise<T>): Promise<T> {
    return this.#records.ledger.transaction(FAILED, async (session) => {
      await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
      return action(session)
    })
  }

  async #send(
    session: Session,
    seq: number,
    event: Delivery['event'],
    now: number
  ): Promise<AlertRow> {
    const row = (await readAlert(session, seq))!
    if (this.#targets.length === 0) return row
    const added = this.#targets.map((target): Delivery => {
      return { event, target, state: 'due', attempts: 0, at: now, error: null }
    })
    await writeDelivery(session, seq, [...row.delivery, ...added])
    return row
  }
}
