import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import { ALERT_SPECIFICATIONS } from '../alert_rules.ts'
import type { Told } from './alert_book.ts'

/** Alerts that one notice names: beyond that a page has enough to read. */
const MOST = 5

/**
 * Lets open pages look again, and say what opened and what is over.
 */
export async function tellPages(
  transport: Transport,
  client: RedisClient,
  { opened, cleared }: Told = { opened: [], cleared: [] }
): Promise<void> {
  const alerts = [
    ...opened.map(({ rule, facts }) => ({
      level: 'error' as const,
      title: ALERT_SPECIFICATIONS[rule].title,
      text: facts.text,
    })),
    ...cleared.map(({ rule, subject }) => ({
      level: 'success' as const,
      title: `Over: ${ALERT_SPECIFICATIONS[rule].title}`,
      text: subject,
    })),
  ].slice(0, MOST)
  const notice = { changed: [], more: true, progress: [], lag: 0, alerts }
  await transport.changes.publish(notice, client)
}
