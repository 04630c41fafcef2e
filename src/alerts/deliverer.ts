import { setTimeout as rest } from 'node:timers/promises'
import { readMutes } from '../records/alerts/alert_mutes.ts'
import {
  claimDelivery,
  readAlert,
  readDueAlerts,
  writeDelivery,
  type AlertRow,
  type Delivery,
} from '../records/alerts/alert_rows.ts'
import type { Records } from '../records/records.ts'
import { cutText } from '../cut_text.ts'
import type { AlertMute, AlertView } from '../types.ts'
import { alertView } from './alert_view.ts'
import { NotDelivered, type AlertMessage, type Receiver } from './receiver.ts'
import type { AlertLogger } from './watch.ts'

type DelivererOptions = {
  records: Pick<Records, 'db' | 'ledger'>
  receivers: readonly Receiver[]
  logger: AlertLogger
  /** For tests: how long whoever sends may take before another process sends again, and the pause before the second attempt; ms. */
  claim?: number
  backoff?: number
}

/** Longer than all that one alert has to be sent can take. */
const CLAIM = 120_000

/** Doubled with each attempt, up to the longest; about an hour in all. */
const BACKOFF = 10_000
const LONGEST_BACKOFF = 600_000
const MOST_ATTEMPTS = 12

/** How soon a mute that somebody takes back is noticed, ms. */
const MUTED_PAUSE = 60_000

/** Alerts whose messages are sent at the same time. */
const AT_ONCE = 8

const LONGEST_ERROR = 300

/**
 * Sends what is to be sent about alerts: at least once to every receiver, also when the process that sends is killed. What could not be
 * sent is tried again, each time later, up to twelve times.
 */
export class Deliverer {
  #options: DelivererOptions
  #receivers: ReadonlyMap<string, Receiver>

  constructor(options: DelivererOptions) {
    this.#options = options
    this.#receivers = new Map(options.receivers.map((receiver) => [receiver.target, receiver]))
  }

  /** Names of the receivers, for what is to be sent. */
  get targets(): string[] {
    return [...this.#receivers.keys()]
  }

  /**
   * Sends all that is due.
   *
   * @param now  Epoch ms by the clock of looks; asked again and again
   * @throws E_DATABASE_UNAVAILABLE
   */
  async run(now: () => number, signal: AbortSignal): Promise<void> {
    if (this.#receivers.size === 0) return
    const { db, ledger } = this.#options.records
    const { claim = CLAIM } = this.#options
    const due = await readDueAlerts(db, now(), AT_ONCE)
    await Promise.all(
      due.map(async (row) => {
        const until = now() + claim
        const isOurs = await ledger.transaction('messages cannot be claimed', (session) =>
          claimDelivery(session, row, until)
        )
        if (isOurs) await this.#deliver(row, now, signal)
      })
    )
  }

  /** Sends at once what the records cannot keep, to every receiver; tried again a few times until the signal, while this process lives. */
  async sendNow(event: Delivery['event'], alert: AlertView, signal: AbortSignal): Promise<void> {
    const id = `alert-${alert.rule}-${alert.openedAt}-${event}`
    await Promise.all(
      this.#options.receivers.map((receiver) =>
        this.#insist(receiver, { id, event, alert }, signal).catch((error: Error) =>
          this.#warn(receiver.target, error.message)
        )
      )
    )
  }

  async #insist(receiver: Receiver, message: AlertMessage, signal: AbortSignal): Promise<void> {
    const { backoff = BACKOFF } = this.#options
    for (let attempts = 1; ; attempts++) {
      try {
        return await receiver.send(message, signal)
      } catch (error) {
        if (error instanceof NotDelivered && error.final) throw error
        /** Nothing that a process which ends would wait for. */
        const options = { ref: false, signal }
        await rest(backoff * 2 ** (attempts - 1), undefined, options).catch(() => {})
        if (signal.aborted) throw error
      }
    }
  }

  async #deliver(row: AlertRow, now: () => number, signal: AbortSignal): Promise<void> {
    const { db, ledger } = this.#options.records
    const alert = alertView(row, await readMutes(db, now()))
    const done: Delivery[] = []
    await Promise.all(
      [...new Set(row.delivery.map(({ target }) => target))].map(async (target) => {
        /** In their order: nobody hears of an end before the beginning. */
        for (const one of row.delivery.filter((entry) => entry.target === target)) {
          if (one.state !== 'due') continue
          if (one.at > now()) break
          const { mute } = alert
          const result =
            one.event === 'opened' && mute
              ? withheld(one, mute, row, now())
              : await this.#send(one, alert, now, signal)
          if (signal.aborted) break
          done.push(result)
          if (result.state === 'due') break
        }
      })
    )
    /** The alert may have ended meanwhile, with more to be sent. What was stopped is due again when the claim ends. */
    await ledger.transaction('that messages were sent cannot be noted', async (session) => {
      await session.all(`select name, value from queuedeck_meta where name = 'jobs'${session.lock}`)
      const newest = await readAlert(session, row.seq)
      if (!newest) return
      const isSame = (one: Delivery) => (other: Delivery) =>
        other.event === one.event && other.target === one.target
      await writeDelivery(
        session,
        row.seq,
        newest.delivery.map((one) => done.find(isSame(one)) ?? one)
      )
    })
  }

  async #send(
    delivery: Delivery,
    alert: AlertView,
    now: () => number,
    signal: AbortSignal
  ): Promise<Delivery> {
    const { backoff = BACKOFF } = this.#options
    const { target, event } = delivery
    const attempts = delivery.attempts + 1
    const receiver = this.#receivers.get(target)
    if (!receiver) {
      return { ...delivery, state: 'failed', error: 'It is no longer in the configuration' }
    }
    try {
      const id = `alert-${alert.id}-${alert.openedAt}-${event}`
      await receiver.send({ id, event, alert }, signal)
      return { ...delivery, attempts, state: 'sent', error: null }
    } catch (thrown) {
      const error = cutText((thrown as Error).message, LONGEST_ERROR)
      const isFinal = thrown instanceof NotDelivered && thrown.final
      if (isFinal || attempts >= MOST_ATTEMPTS) {
        this.#warn(target, error)
        return { ...delivery, attempts, state: 'failed', error }
      }
      const pause = Math.min(backoff * 2 ** (attempts - 1), LONGEST_BACKOFF)
      const at = Math.round(now() + pause * (0.8 + Math.random() * 0.4))
      return { ...delivery, attempts, at, error }
    }
  }

  #warn(target: string, error: string): void {
    this.#options.logger.warn({ target, error }, 'Alerts: a message could not be delivered')
  }
}

/**
 * What was muted before it could be sent waits for the end of the mute. Of an alert that is over by then only its end is sent: the
 * receiver may have taken the beginning and its answer was lost.
 */
function withheld(
  delivery: Delivery,
  { until }: AlertMute,
  { clearedAt }: AlertRow,
  now: number
): Delivery {
  if (clearedAt !== null) {
    return { ...delivery, state: 'failed', error: 'It was muted until the alert was over' }
  }
  return { ...delivery, at: Math.min(until ?? Number.POSITIVE_INFINITY, now + MUTED_PAUSE) }
}
