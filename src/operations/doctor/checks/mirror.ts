import { TWO_DATABASES } from '../../../mirror/other_database.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../finding.ts'
import { durationText, momentText } from '../words.ts'

/** Age of the oldest entry that records do not contain, ms. */
const BEHIND = 10_000
const FAR_BEHIND = 60_000

/** Gaps that are younger than this are told of, ms. */
const RECENT = 86_400_000

/** Whether records follow what happens. */
export const mirror: Check = {
  name: 'mirror',
  title: 'Records follow what happens',
  needs: ['redis'],
  async look(facts) {
    const status = await facts.mirror()
    if (status === null) return [noMirror(facts.config.mirror)]
    const { sql, redis, queues, owner } = status
    const found: Finding[] = []
    if (sql.since !== null) {
      found.push({
        severity: 'problem',
        title: 'The database takes no records from the mirror',
        detail: `since ${momentText(sql.since)}: ${sql.error ?? 'no reason is known'} (${owner}). Nothing is lost meanwhile: Redis keeps it`,
        remedy: 'mend the database; the mirror goes on by itself',
        measured: { owner, since: sql.since, error: sql.error },
      })
    }
    const own = await facts.database().catch(() => null)
    if (own !== null && status.database !== undefined && status.database !== own) {
      found.push({
        severity: 'problem',
        title: 'Another application with the same prefix records the jobs in a database of its own',
        detail: `prefix ${facts.transport.keys.prefix} in the same Redis; the mirror that runs (${owner}) does not write into the database of this application: its records lack what happens`,
        remedy: TWO_DATABASES,
        measured: { owner },
      })
    }
    if (redis.since !== null) {
      found.push({
        severity: 'problem',
        title: 'The mirror cannot read from Redis',
        detail: `since ${momentText(redis.since)}: ${redis.error ?? 'no reason is known'} (${owner})`,
        remedy: 'look at the connection between its host and Redis; the mirror goes on by itself',
        measured: { owner, since: redis.since, error: redis.error },
      })
    }
    const [queue, behind] = Object.entries(queues)
      .map(([name, one]) => [name, one.behind] as const)
      .reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0])
    if (behind > BEHIND) {
      found.push({
        severity: behind > FAR_BEHIND ? 'problem' : 'warning',
        title: `Records are ${durationText(behind)} behind`,
        detail: `the oldest entry of queue "${queue}" that they lack is that old (${owner})`,
        remedy:
          'run "node ace queue:mirror" on a host with time to spare and near the database; "node ace queue:mirror --status" shows how it goes',
        measured: { owner, queue, behind, lag: status.lag },
      })
    }
    for (const [name, { gap }] of Object.entries(queues)) {
      if (gap === null || status.at - gap.at > RECENT) continue
      found.push({
        severity: 'info',
        title: `Entries of queue "${name}" were lost before they were written`,
        detail: `${momentText(gap.at)}: ${gap.reason}. Statuses were compared with Redis and repaired; some lines of history may be missing`,
        remedy: 'keep a mirror running, and let Redis keep its data (redis-persistence)',
        measured: { queue: name, at: gap.at, reason: gap.reason },
      })
    }
    return found
  },
}

function noMirror(isConfigured: boolean): Finding {
  return {
    severity: 'problem',
    title: 'No mirror runs: records stand still',
    detail: isConfigured
      ? 'no worker, web or mirror process reported in the last 10 s that it writes records'
      : '"mirror" is false in config/queuedeck.ts, and no mirror process reported in the last 10 s',
    remedy: isConfigured
      ? 'node ace queue:work (or queue:mirror, in a process of its own)'
      : 'node ace queue:mirror',
    measured: { mirror: null },
  }
}
