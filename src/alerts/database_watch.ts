import { ALERT_SPECIFICATIONS } from '../alert_rules.ts'
import type { AlertMute, AlertView } from '../types.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import type { AlertBook } from './alert_book.ts'
import { alertView, muteOf } from './alert_view.ts'
import { tellPages } from './tell_pages.ts'
import type { WatchDependencies } from './watch.ts'

const SUBJECT = 'database'

/** How long messages may take that nobody can keep, ms. */
const SENDING = 60_000

type Outage = { since: number; openedAt: number; text: string }

function outageKey({ keys }: Transport): string {
  return `${keys.prefix}~database-away`
}

/**
 * The alert that the database is away, which cannot be recorded while it is so: Redis keeps it, so that one process tells of it, and it
 * gets its record when it is over.
 */
export class DatabaseWatch {
  #dependencies: WatchDependencies
  #book: AlertBook
  #since: number | null = null
  /** Ends with the outage: nobody hears of its beginning after its end. */
  #telling = new AbortController()

  constructor(dependencies: WatchDependencies, book: AlertBook) {
    this.#dependencies = dependencies
    this.#book = book
  }

  /** The database did not answer. */
  async away(
    client: RedisClient,
    now: number,
    error: Error,
    mutes: readonly AlertMute[]
  ): Promise<void> {
    const { transport, config, emit, logger, deliverer } = this.#dependencies
    const settings = config.alerts.rules.databaseAway
    this.#since ??= now
    if (!settings || now - this.#since < settings.threshold) return
    const outage: Outage = { since: this.#since, openedAt: now, text: error.message }
    /** Read when the database last answered: some have ended since. */
    const standing = mutes.filter(({ until }) => until === null || until > now)
    if (muteOf('databaseAway', SUBJECT, standing)) return
    const isFirst = await client.set(outageKey(transport), JSON.stringify(outage), 'NX')
    if (isFirst !== 'OK') return
    const alert = viewOf(outage, now, settings.threshold)
    logger.warn({ rule: alert.rule }, `Alert: ${alert.text}`)
    emit('queuedeck:alert:opened', alert)
    this.#telling = new AbortController()
    const within = AbortSignal.any([this.#telling.signal, AbortSignal.timeout(SENDING)])
    /** Not waited for: whoever watches goes on. */
    void deliverer.sendNow('opened', alert, within)
    await tellPages(transport, client)
  }

  /** The database answered. Whatever was told of its outage is recorded now, by one process. */
  async answered(client: RedisClient, now: number): Promise<void> {
    const { transport, config, emit } = this.#dependencies
    this.#since = null
    this.#telling.abort()
    const text = await client.get(outageKey(transport))
    if (text === null) return
    const outage = JSON.parse(text) as Outage
    const threshold = config.alerts.rules.databaseAway?.threshold ?? now - outage.since
    const alert = {
      rule: 'databaseAway' as const,
      subject: SUBJECT,
      openedAt: outage.openedAt,
      seenAt: now,
      facts: { value: now - outage.since, threshold, text: outage.text },
    }
    let isOurs = false
    const claim = async () => (isOurs = (await client.del(outageKey(transport))) === 1)
    const row = await this.#book.writePast(alert, now, claim).catch(async (error) => {
      /** Away again before it was recorded: whoever was told of the outage is told of its end later. */
      if (isOurs) await client.set(outageKey(transport), text, 'NX')
      throw error
    })
    if (row === null) return
    emit('queuedeck:alert:cleared', alertView(row, []))
    await tellPages(transport, client, { opened: [], cleared: [row] })
  }
}

/**
 * The alert that the database is away, as Redis keeps it; null while none is open.
 */
export async function readDatabaseAlert(
  transport: Transport,
  client: RedisClient,
  threshold: number
): Promise<AlertView | null> {
  const text = await client.get(outageKey(transport))
  if (text === null) return null
  return viewOf(JSON.parse(text) as Outage, await transport.time(client), threshold)
}

function viewOf({ since, openedAt, text }: Outage, now: number, threshold: number): AlertView {
  const { title, remedy, unit } = ALERT_SPECIFICATIONS.databaseAway
  return {
    id: null,
    rule: 'databaseAway',
    subject: SUBJECT,
    title,
    text,
    remedy,
    unit,
    value: now - since,
    threshold,
    openedAt,
    seenAt: now,
    clearedAt: null,
    acknowledged: null,
    mute: null,
  }
}
