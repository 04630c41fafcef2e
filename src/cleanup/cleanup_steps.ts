import { setTimeout as pause } from 'node:timers/promises'
import type { MirrorDependencies } from '../mirror/ports.ts'
import { countAudit, eraseAudit } from '../records/audit/audit_log.ts'
import { countOperations, eraseOperations } from '../records/bulk/bulk_rows.ts'
import { endedRecords, type EndedPage, type Place } from '../records/eraser/candidates.ts'
import { countAlerts, eraseAlerts } from '../records/alerts/alert_rows.ts'
import { countCleanups, eraseCleanups, writeCounts } from '../records/eraser/cleanup_log.ts'
import { sweepCounts, type SweepPlace, type SweepStep } from '../records/eraser/count_sweep.ts'
import type { Ended } from '../records/eraser/eraser.ts'
import { TERMINAL_STATUSES } from '../statuses.ts'
import type { KeptClocks, ResolvedConfig } from '../types.ts'
import type { CleanupContext } from './context.ts'
import { type DetailProgress, DetailSweep } from './detail_sweep.ts'
import { countOldMetrics, sweepMetrics } from './metric_sweep.ts'
import { countRuns, eraseRuns } from '../records/schedules/run_rows.ts'
import type { CleanupKind } from './kinds.ts'
import { RecordSweep } from './record_sweep.ts'
import { countTransports, sweepTransports, takeRemoved } from './transport_sweep.ts'

const PAGE = 5_000

/** Entries of the audit that one transaction deletes: some 5 ms. */
const AUDIT_AT_ONCE = 500

/** Moments of schedules that one transaction deletes. */
const RUNS_AT_ONCE = 1_000

/** Bulk operations that one transaction deletes, with up to a thousand items each. */
const BULK_AT_ONCE = 4

/**
 * The steps of one run, in the order in which they free the most for the least: Redis' memory first.
 */
export class CleanupSteps {
  #mirror: MirrorDependencies
  #config: Pick<ResolvedConfig, 'kept' | 'queues'>
  #details: DetailProgress
  #context: CleanupContext

  constructor(
    mirror: MirrorDependencies,
    config: Pick<ResolvedConfig, 'kept' | 'queues'>,
    details: DetailProgress,
    context: CleanupContext
  ) {
    this.#mirror = mirror
    this.#config = config
    this.#details = details
    this.#context = context
  }

  /**
   * Removes what has been kept long enough.
   *
   * @param now  Epoch ms that ends are compared with.
   * @param isStart  Ended transports go by the shorter clock of the start.
   * @returns what had to stay and why; null when nothing had to
   */
  async remove(now: number, isStart: boolean): Promise<string | null> {
    const { kept } = this.#config
    const { transport, redis, counts, eraser, run, behind, progressed } = this.#context
    const queues = await this.#queues()
    const atMost = isStart ? kept.atStart : Number.POSITIVE_INFINITY
    const clocks = {
      ...kept,
      completed: Math.min(kept.completed, atMost),
      cancelled: Math.min(kept.cancelled, atMost),
    }
    for (const queue of await sweepTransports(this.#mirror, queues, clocks, this.#context)) {
      behind.add(queue)
    }
    for (const queue of queues) {
      counts.orphans += await transport.audit.sweepOrphans(queue, kept.claims, false, redis)
      progressed('orphans')
    }
    counts.orphans += await transport.audit.sweepUnique(false, redis)
    await takeRemoved(transport, redis, counts)
    await eraser.transaction((session) => writeCounts(session, run, counts))
    progressed('completedTransports')

    const records = new RecordSweep(this.#context, now)
    for (const ended of recordClocks(kept, now)) await records.sweep(ended)
    const details = new DetailSweep(this.#context)
    for (const ended of detailClocks(kept, now)) await details.sweep(ended, this.#details)
    await this.#sweepCounts()
    counts.cleanups += await eraser.transaction((session) =>
      eraseCleanups(session, now - kept.cleanups)
    )
    progressed('cleanups')
    counts.alerts += await eraser.transaction((session) => eraseAlerts(session, now - kept.alerts))
    progressed('alerts')
    await this.#eraseRuns(now)
    await this.#eraseAudit(now)
    await sweepMetrics(this.#context, kept, now)
    if (behind.size === 0) return null
    const names = [...behind].map((name) => `"${name}"`).join(', ')
    return `The mirror is behind in ${names}: what ended there stays until the next run`
  }

  /**
   * Counts what `remove` would remove now, as it counts: of what belongs to records that would go, the lines of their logs alone.
   */
  async count(now: number): Promise<void> {
    const { kept } = this.#config
    const { transport, redis, signal, counts, eraser, progressed } = this.#context
    for (const queue of await this.#queues()) {
      signal.throwIfAborted()
      await countTransports(this.#mirror, queue, kept, counts)
      counts.orphans += await transport.audit.sweepOrphans(queue, kept.claims, true, redis)
      progressed('completedTransports')
    }
    counts.orphans += await transport.audit.sweepUnique(true, redis)
    for (const ended of recordClocks(kept, now)) {
      const kind = `${ended.status}Records` as const
      await this.#walk(ended, kind, async (seqs) => {
        counts[kind] += seqs.length
        counts.logLines += await eraser.countLogs(seqs)
      })
    }
    for (const ended of detailClocks(kept, now)) {
      await this.#walk(ended, 'logLines', async (seqs) => {
        const { logs, stages } = await eraser.countDetails(seqs)
        counts.logLines += logs
        counts.progressReports += stages
      })
    }
    await countOldMetrics(this.#context, kept, now)
    const { audit, details, cleanups, alerts } = kept
    counts.cleanups = await eraser.read((session) => countCleanups(session, now - cleanups))
    counts.alerts = await eraser.read((session) => countAlerts(session, now - alerts))
    progressed('alerts')
    if (details !== null) {
      counts.scheduleRuns = await eraser.read((session) => countRuns(session, now - details))
    }
    if (audit === null) return
    counts.audit = await eraser.read((session) => countAudit(session, now - audit))
    counts.bulk = await eraser.read((session) => countOperations(session, now - audit))
    progressed('audit')
  }

  async #walk(
    ended: Ended,
    kind: CleanupKind,
    visit: (seqs: number[]) => Promise<void>
  ): Promise<void> {
    const { eraser, signal, progressed } = this.#context
    let place: Place | null = null
    do {
      signal.throwIfAborted()
      const from: Place | null = place
      const page: EndedPage = await eraser.read((session) =>
        endedRecords(session, ended, from, PAGE)
      )
      if (page.candidates.length > 0) await visit(page.candidates.map(({ seq }) => seq))
      progressed(kind)
      place = page.next
      /** SQLite answers in this thread. */
      await pause(1)
    } while (place)
  }

  async #eraseRuns(now: number): Promise<void> {
    const { details } = this.#config.kept
    const { eraser, counts, signal, progressed } = this.#context
    if (details === null) return
    for (;;) {
      signal.throwIfAborted()
      const gone = await eraser.transaction((session) =>
        eraseRuns(session, now - details, RUNS_AT_ONCE)
      )
      counts.scheduleRuns += gone
      progressed('scheduleRuns')
      if (gone < RUNS_AT_ONCE) return
      await pause(25)
    }
  }

  async #eraseAudit(now: number): Promise<void> {
    const { kept } = this.#config
    const { eraser, counts, signal, progressed } = this.#context
    if (kept.audit === null) return
    const before = now - kept.audit
    for (;;) {
      signal.throwIfAborted()
      const [audit, bulk] = await eraser.transaction(async (session) => [
        await eraseAudit(session, before, AUDIT_AT_ONCE),
        await eraseOperations(session, before, BULK_AT_ONCE),
      ])
      counts.audit += audit
      counts.bulk += bulk
      progressed('audit')
      if (audit < AUDIT_AT_ONCE && bulk < BULK_AT_ONCE) return
      await pause(25)
    }
  }

  async #sweepCounts(): Promise<void> {
    const { eraser, counts, signal, progressed } = this.#context
    let place: SweepPlace | null = null
    do {
      signal.throwIfAborted()
      const from: SweepPlace | null = place
      const step: SweepStep = await eraser.locked((session) => sweepCounts(session, from))
      counts.names += step.removed
      place = step.next
      progressed('names')
      await pause(5)
    } while (place)
  }

  async #queues(): Promise<string[]> {
    const { transport, redis } = this.#context
    return [...new Set([...(await transport.queueNames(redis)), ...this.#config.queues])]
  }
}

/** What ended before which moment goes, by status. */
function recordClocks({ records }: KeptClocks, now: number): Ended[] {
  return TERMINAL_STATUSES.flatMap((status) => {
    const clock = records[status]
    return clock === null ? [] : [{ status, before: now - clock }]
  })
}

/** The same for logs and progress, of records whose own clock has not run out: with the others these go anyway. */
function detailClocks({ records, details }: KeptClocks, now: number): Ended[] {
  if (details === null) return []
  return TERMINAL_STATUSES.flatMap((status) => {
    const clock = records[status] ?? Number.POSITIVE_INFINITY
    return clock > details ? [{ status, before: now - details, since: now - clock }] : []
  })
}
