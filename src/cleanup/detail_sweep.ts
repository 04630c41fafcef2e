import {
  endedRecords,
  type EndedPage,
  type Place,
  weightsOf,
  withDetails,
} from '../records/eraser/candidates.ts'
import { writeCounts } from '../records/eraser/cleanup_log.ts'
import type { Ended } from '../records/eraser/eraser.ts'
import type { TerminalStatus } from '../statuses.ts'
import { BatchSize } from './batch_size.ts'
import { breathe, type CleanupContext, HEAVY } from './context.ts'

const PAGE = 1_000

/**
 * How far earlier runs of this process came, by status: what they went through has no details left, but for jobs that were submitted
 * long before they ended. Now and then all are looked at again.
 */
export class DetailProgress {
  #reached = new Map<TerminalStatus, { place: Place; fullAt: number }>()

  /** @param now  Milliseconds of a clock that does not jump. */
  from(status: TerminalStatus, now: number): Place | null {
    const reached = this.#reached.get(status)
    return reached && now - reached.fullAt < 86_400_000 ? reached.place : null
  }

  reached(status: TerminalStatus, place: Place, from: Place | null, now: number): void {
    const fullAt = from === null ? now : (this.#reached.get(status)?.fullAt ?? now)
    this.#reached.set(status, { place, fullAt })
  }
}

/**
 * Deletes logs and progress histories whose time is over, of records that are kept longer.
 */
export class DetailSweep {
  #context: CleanupContext
  #size = new BatchSize()

  constructor(context: CleanupContext) {
    this.#context = context
  }

  async sweep(ended: Ended, progress: DetailProgress): Promise<void> {
    const { eraser, signal, progressed } = this.#context
    const begin = progress.from(ended.status, performance.now())
    let place = begin
    for (;;) {
      signal.throwIfAborted()
      const from: Place | null = place
      const { candidates, next }: EndedPage = await eraser.read((session) =>
        endedRecords(session, ended, from, PAGE)
      )
      await this.#strip(
        candidates.map(({ seq }) => seq),
        ended
      )
      progressed('logLines')
      if (!next) break
      place = next
    }
    if (place) progress.reached(ended.status, place, begin, performance.now())
  }

  async #strip(seqs: number[], ended: Ended): Promise<void> {
    const { eraser, counts, run, signal } = this.#context
    const found = await eraser.read((session) => withDetails(session, seqs))
    if (found.size === 0) return
    const weights = await eraser.read((session) => weightsOf(session, [...found]))
    const waiting = [...found]
    while (waiting.length > 0) {
      const batch: number[] = []
      let weight = 0
      while (waiting.length > 0) {
        const seq = waiting[0]
        const { logs, events } = weights.get(seq) ?? { logs: 0, events: 0 }
        if (logs > HEAVY) await this.#lighten(seq, logs, ended)
        const own = 1 + (logs > HEAVY ? 0 : logs) + events
        if (batch.length > 0 && weight + own > this.#size.weight) break
        batch.push(seq)
        weight += own
        waiting.shift()
      }
      for (let isDone = false; !isDone;) {
        signal.throwIfAborted()
        const erased = await eraser.strip(
          batch,
          ended,
          Math.max(50, this.#size.weight),
          (session, { logs, stages }) =>
            writeCounts(session, run, {
              ...counts,
              logLines: counts.logLines + logs,
              progressReports: counts.progressReports + stages,
            })
        )
        counts.logLines += erased.logs
        counts.progressReports += erased.stages
        isDone = erased.isDone
        await breathe(this.#context, this.#size, weight, 'logLines')
      }
    }
  }

  /** Very long logs go in pieces. */
  async #lighten(seq: number, logs: number, ended: Ended): Promise<void> {
    const { eraser, counts, run, signal } = this.#context
    for (let left = logs; left > 0;) {
      signal.throwIfAborted()
      const limit = Math.max(50, this.#size.weight)
      const erased = await eraser.erasePiece(seq, 'logs', limit, ended, (session, rows) =>
        writeCounts(session, run, { ...counts, logLines: counts.logLines + rows })
      )
      if (erased === 0) return
      counts.logLines += erased
      left -= erased
      await breathe(this.#context, this.#size, erased, 'logLines')
    }
  }
}
