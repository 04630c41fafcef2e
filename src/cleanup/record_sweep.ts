import { type Cursor, isWritten } from '../mirror/written.ts'
import {
  endedRecords,
  type Candidate,
  type EndedPage,
  type Place,
  weightsOf,
  type Weight,
} from '../records/eraser/candidates.ts'
import { writeCounts } from '../records/eraser/cleanup_log.ts'
import { cursorOf, type Ended } from '../records/eraser/eraser.ts'
import type { Session } from '../records/dialect/session.ts'
import { BatchSize } from './batch_size.ts'
import { breathe, type CleanupContext, HEAVY } from './context.ts'
import type { CleanupKind } from './kinds.ts'

/** Records looked at, and claimed, at once. */
const PAGE = 2_000

/** Claims live so long, and are used for half of it, ms. */
const CLAIM = 60_000

/** Where a queue's stream was when Redis let go of its jobs, and the cursor before that. */
type Claim = { queue: string; position: string; cursor: Cursor }

/**
 * Deletes records whose time is over, with all that belongs to them.
 *
 * A record goes only when its job cannot be alive. The record itself may be behind, so three things are asked, in this order.
 * Redis is asked for a claim: it answers only for jobs that it does not hold, and refuses to restart them while the claim lasts. The
 * mirror has to pass the position at which Redis said so: from then on the record says everything that ever happened. Then the
 * deleting statement itself says which status and end it is about.
 */
export class RecordSweep {
  #context: CleanupContext
  #now: number
  #size = new BatchSize()

  /**
   * @param now  Redis' clock, epoch ms
   */
  constructor(context: CleanupContext, now: number) {
    this.#context = context
    this.#now = now
  }

  async sweep(ended: Ended): Promise<void> {
    let place: Place | null = null
    for (;;) {
      this.#context.signal.throwIfAborted()
      const from: Place | null = place
      const page: EndedPage = await this.#context.eraser.read((session) =>
        endedRecords(session, ended, from, PAGE)
      )
      /** When its claims ran out before all were gone, the same page is claimed again. */
      const isDone = await this.#erasePage(page.candidates, ended)
      this.#context.progressed(`${ended.status}Records`)
      if (!isDone) continue
      if (!page.next) return
      place = page.next
    }
  }

  async #erasePage(candidates: Candidate[], ended: Ended): Promise<boolean> {
    const { redis, behind } = this.#context
    const byQueue = Map.groupBy(candidates, ({ queue }) => queue)
    const claimed = new Map<string, Candidate[]>()
    try {
      const claimedAt = performance.now()
      const claims: Claim[] = []
      for (const [queue, list] of byQueue) {
        if (behind.has(queue)) continue
        const cursor = await this.#cursor(queue)
        const ids = list.map(({ transportId }) => transportId)
        const { position, claimed: indexes } = await this.#claim(queue, ids)
        claimed.set(
          queue,
          indexes.map((index) => list[index])
        )
        claims.push({ queue, position, cursor })
      }
      for (const queue of await this.#unwritten(claims)) {
        behind.add(queue)
        await this.#release(queue, claimed.get(queue)!)
        claimed.delete(queue)
      }
      const seqs = [...claimed.values()].flat().map(({ seq }) => seq)
      if (seqs.length === 0) return true
      const isDone = await this.#eraseAll(seqs, ended, claimedAt + CLAIM / 2)
      await this.#announce()
      return isDone
    } finally {
      if (redis.status === 'ready') {
        for (const [queue, list] of claimed) await this.#release(queue, list).catch(() => {})
      }
    }
  }

  /** The queues whose mirror does not pass its claim's position. They wait together, so that many take no longer than one. */
  async #unwritten(claims: Claim[]): Promise<string[]> {
    const { patience, signal } = this.#context
    const deadline = performance.now() + patience
    const queues: string[] = []
    for (const { queue, position, cursor } of claims) {
      const read = () => this.#cursor(queue)
      const left = deadline - performance.now()
      if (await isWritten(read, position, cursor, { patience: left, signal })) continue
      queues.push(queue)
    }
    return queues
  }

  async #claim(queue: string, ids: string[]) {
    const { transport, redis } = this.#context
    const indexes: number[] = []
    let position = '0-0'
    for (let from = 0; from < ids.length; from += 500) {
      const part = ids.slice(from, from + 500)
      const answer = await transport.audit.claimErasure(queue, part, CLAIM, redis)
      position = answer.position
      for (const index of answer.claimed) indexes.push(from + index)
    }
    return { position, claimed: indexes }
  }

  #release(queue: string, list: Candidate[]): Promise<void> {
    const { transport, redis } = this.#context
    const ids = list.map(({ transportId }) => transportId)
    return transport.audit.endErasure(queue, ids, redis)
  }

  #cursor(queue: string) {
    return this.#context.eraser.read((session) => cursorOf(session, queue))
  }

  async #eraseAll(seqs: number[], ended: Ended, until: number): Promise<boolean> {
    const weights = await this.#context.eraser.read((session) => weightsOf(session, seqs))
    let at = 0
    while (at < seqs.length) {
      this.#context.signal.throwIfAborted()
      if (performance.now() > until) return false
      const batch: number[] = []
      let weight = 0
      for (; at < seqs.length && (batch.length === 0 || weight < this.#size.weight); at++) {
        const seq = seqs[at]
        const own = weights.get(seq) ?? { logs: 0, events: 0 }
        if (own.logs + own.events > HEAVY) {
          if (!(await this.#lighten(seq, own, ended, until))) return false
          own.logs = own.events = 0
        }
        if (batch.length > 0 && weight + 1 + own.logs + own.events > this.#size.weight) break
        batch.push(seq)
        weight += 1 + own.logs + own.events
      }
      await this.#erase(batch, weight, ended)
    }
    return true
  }

  async #erase(batch: number[], weight: number, ended: Ended): Promise<void> {
    const { eraser, counts } = this.#context
    const kind = `${ended.status}Records` as const
    const note = async (session: Session, { records, logs }: { records: number; logs: number }) => {
      if (records === 0) return
      await writeCounts(session, this.#context.run, {
        ...counts,
        [kind]: counts[kind] + records,
        logLines: counts.logLines + logs,
      })
    }
    const erased = await eraser.erase(batch, ended, this.#now, note)
    counts[kind] += erased.records
    counts.logLines += erased.logs
    await this.#yield(weight, kind)
  }

  /** Pieces of what belongs to one record, so that its own transaction stays short. False when there was no time for all. */
  async #lighten(seq: number, weight: Weight, ended: Ended, until: number): Promise<boolean> {
    const { eraser, counts } = this.#context
    for (const table of ['logs', 'events'] as const) {
      let left = weight[table]
      while (left > 0) {
        this.#context.signal.throwIfAborted()
        if (performance.now() > until) return false
        const limit = Math.max(50, this.#size.weight)
        const erased = await eraser.erasePiece(seq, table, limit, ended, (session, rows) =>
          table === 'events'
            ? Promise.resolve()
            : writeCounts(session, this.#context.run, {
                ...counts,
                logLines: counts.logLines + rows,
              })
        )
        if (erased === 0) break
        left -= erased
        if (table === 'logs') counts.logLines += erased
        await this.#yield(erased, 'logLines')
      }
    }
    return true
  }

  #yield(weight: number, kind: CleanupKind): Promise<void> {
    return breathe(this.#context, this.#size, weight, kind)
  }

  /** Pages show other counts now. A notice that Redis does not take is not missed: they ask again by themselves. */
  async #announce(): Promise<void> {
    const { transport, redis } = this.#context
    const notice = { changed: [], more: true, progress: [], lag: 0 }
    await transport.changes.publish(notice, redis).catch(() => {})
  }
}
