import type { AlertRuleSettings } from '../alert_rules.ts'
import { readCleanups } from '../records/eraser/cleanup_log.ts'
import type { Records } from '../records/records.ts'
import type { ScheduledJobs } from '../transport/scheduled_jobs.ts'
import type { ResolvedConfig } from '../types.ts'
import { longestWait } from './longest_wait.ts'
import type { Reading } from './readings.ts'
import type { RedisView } from './redis_readings.ts'
import { named, span } from './words.ts'
import { inParts } from '../in_parts.ts'

/** Questions to the records at a time. */
const AT_ONCE = 8

type Source = Pick<Records, 'reader' | 'db'>

/**
 * How long the job that has been pending longest waits, by queue. Of queues in which no job is that old the value is 0.
 *
 * @param interesting  Shorter waits need not be known exactly, ms
 */
export async function oldestPending(
  records: Source,
  { depths, now }: RedisView,
  interesting: number
): Promise<Reading[]> {
  const names = Object.keys(depths)
  const readings: Reading[] = []
  const read = async (queue: string): Promise<Reading> => {
    const waited =
      depths[queue].pending > 0 ? await longestWait(records, queue, now, interesting) : 0
    const why = depths[queue].paused ? ', which is paused,' : ''
    return {
      subject: queue,
      value: waited,
      text: `A job in queue ${named(queue)}${why} has been pending for ${span(waited)}`,
    }
  }
  for (const some of inParts(names, AT_ONCE)) {
    readings.push(...(await Promise.all(some.map(read))))
  }
  return readings
}

/**
 * How long ago the newest cleanup began.
 *
 * @param since  When this process began to watch: cleanups may still have to begin at all
 */
export async function cleanupAge(
  { db }: Source,
  { cleanup }: Pick<ResolvedConfig, 'cleanup'>,
  now: number,
  since: number
): Promise<Reading[]> {
  if (!cleanup.automatic) return []
  const [newest] = await readCleanups(db, { limit: 1, real: true })
  const value = Math.max(0, now - (newest?.startedAt ?? since))
  const due = `one is due every ${span(cleanup.every)}`
  const text = newest
    ? `The last cleanup began ${span(value)} ago; ${due}`
    : `No cleanup has begun for ${span(value)}; ${due}`
  return [{ subject: 'cleanup', value, text }]
}

type FailureSettings = Pick<AlertRuleSettings, 'threshold' | 'clear' | 'window' | 'minimum'>

/**
 * Which share of the jobs that ended in each queue lately failed, in percent; 0 where too few ended to tell. From the minimum down to half
 * of it there are too few to open an alert, and enough to keep it: as many end in a minute more or less.
 */
export async function failureRates(
  { metrics }: Pick<Records, 'metrics'>,
  now: number,
  { threshold, clear, window = 0, minimum = 1 }: FailureSettings
): Promise<Reading[]> {
  const totals = await metrics.totals('queue', { from: now - window, to: now })
  return [...totals].map(([queue, { completed, failed }]) => {
    const ended = completed + failed
    const share = ended === 0 ? 0 : (failed / ended) * 100
    const few = clear < threshold && ended * 2 >= minimum ? Math.min(share, clear) : 0
    return {
      subject: queue,
      value: ended < minimum ? few : share,
      text: `${failed} of the ${ended} jobs that ended in queue ${named(queue)} in the last ${span(window)} failed (${Math.floor(share)} %)`,
    }
  })
}

/** Schedules that nobody plans any more, and runs of one that are looked at; one that was late a day ago is told of no more, ms. */
const MOST_RUNS = 500
const LONG_AGO = 86_400_000

type Run = { due: number; queue: string; jobId: string | null }

/**
 * How late the oldest run of each schedule is that should have started and did not; also where none was even planned.
 *
 * @param interesting  Shorter delays need not be known, ms
 * @param states  Where Redis has jobs: of one that neither it nor the records hold, the record was deleted after its end
 */
export async function missedSchedules(
  { schedules, reader }: Pick<Records, 'schedules' | 'reader'>,
  now: number,
  interesting: number,
  states: ScheduledJobs['states']
): Promise<Reading[]> {
  const waiting = (runs: Run[]) => waitingOf(reader, runs, states)
  const [from, to] = [now - LONG_AGO, now - interesting]
  const late = new Map<number, number>()
  const newest = await schedules.newestRuns(from, to)
  const isLate = await waiting(newest)
  for (const [at, { seq, queue, due }] of newest.entries()) {
    if (!isLate[at]) continue
    /** Since when: back to the last one that has started. */
    const before = (await schedules.runs(seq, { from, to: due, limit: MOST_RUNS }))
      .filter(({ kind }) => kind === 'planned')
      .map((run) => ({ ...run, queue }))
    const started = (await waiting(before)).indexOf(false)
    const oldest = started < 0 ? before.at(-1) : before[started - 1]
    late.set(seq, oldest?.due ?? due)
  }
  for (const { seq, plannedAt } of await schedules.due(to, MOST_RUNS)) {
    if (plannedAt && !late.has(seq)) late.set(seq, plannedAt)
  }
  const names = await schedules.names([...late.keys()])
  return [...names].map(([seq, name]) => ({
    subject: name,
    value: now - late.get(seq)!,
    text: `Schedule ${named(name)} was due ${span(now - late.get(seq)!)} ago, and its job has not started`,
  }))
}

/** Whether the job of each run still has to start. */
async function waitingOf(
  reader: Source['reader'],
  runs: Run[],
  states: ScheduledJobs['states']
): Promise<boolean[]> {
  const ids = runs.map(({ jobId }) => jobId ?? '')
  const jobs = new Map((await reader.rowsById(ids)).map((job) => [job.id, job]))
  const unknown = runs.filter(({ jobId }) => jobId !== null && !jobs.has(jobId))
  const found = await states(unknown.map(({ queue, jobId }) => ({ queue, id: jobId! })))
  const inRedis = new Map(unknown.map(({ jobId }, at) => [jobId, found[at].state]))
  return runs.map(({ jobId }) => {
    const job = jobs.get(jobId ?? '')
    if (!job) return !['', 'completed', 'failed'].includes(inRedis.get(jobId) ?? '')
    return ['pending', 'scheduled'].includes(job.status) && job.attempts.started === 0
  })
}

/** Id of the last entry that the records of each queue contain. */
export async function positionsOf({ db }: Source): Promise<Map<string, string>> {
  const rows = await db.all('select queue, last_id from queuedeck_cursors')
  return new Map(rows.map(({ queue, last_id: id }) => [queue, id]))
}
