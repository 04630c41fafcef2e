import { oldestPendingJobs } from '../records/oldest_pending.ts'
import { hint } from '../records/reader/sql.ts'
import type { Records } from '../records/records.ts'
import { NAME_KINDS } from '../records/tables.ts'
import { statusCode } from '../statuses.ts'

/** Jobs whose timelines are read: they may have been changed while they were pending. */
const LOOKED_AT = 20

/** Jobs whose last change is compared: a bulk restart may have put a million in front, and SQLite answers in this thread. */
const COMPARED = 20_000

/** Events after which a job is pending again. */
const PENDING_SINCE = new Set([
  'added',
  'added again',
  'restarted',
  'pending',
  'handed back',
  'worker lost',
  'attempt failed',
])

type Source = Pick<Records, 'reader' | 'db'>

/**
 * How long the job of a queue that has been pending longest waits, ms. Most that were created first are it, or became pending long
 * after: they were delayed, or restarted.
 *
 * @param interesting  Shorter waits need not be known exactly, ms
 */
export async function longestWait(
  records: Source,
  queue: string,
  now: number,
  interesting: number
): Promise<number> {
  let since = now
  for (const job of await oldestPendingJobs(records.reader, queue, LOOKED_AT)) {
    /** Nothing that was created later can have waited longer. */
    if (job.createdAt >= Math.min(since, now - interesting)) return Math.max(0, now - since)
    const events = (await records.reader.find(job.id))?.events ?? []
    const pending = events.filter(({ kind }) => PENDING_SINCE.has(kind)).map(({ at }) => at)
    since = Math.min(since, pending.length > 0 ? Math.max(...pending) : job.createdAt)
  }
  const before = Math.min(since, now - interesting)
  const unchanged = await unchangedSince(records.db, queue, before)
  return Math.max(0, now - Math.min(since, unchanged ?? now))
}

/**
 * Since when nothing has happened to the pending job that was left alone longest, of the oldest that were created before a moment: as long
 * at least it has been pending. Versions are moments, later ones where Redis' clock has gone back.
 */
async function unchangedSince(
  db: Source['db'],
  queue: string,
  before: number
): Promise<number | null> {
  const oldest = `select version from queuedeck_jobs${hint(db.dialect, 'queuedeck_jobs_queue')} where queue_id = (select id from queuedeck_names where kind = ? and name = ?) and status = ? and created_at < ? order by created_at limit ${COMPARED}`
  const [{ least }] = await db.all(
    `select min(version) / ${2 ** 20} as least from (${oldest}) as oldest`,
    [NAME_KINDS.queue, queue, statusCode('pending'), before]
  )
  return least === null ? null : Math.floor(Number(least))
}
