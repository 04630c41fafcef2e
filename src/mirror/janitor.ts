import { recordId } from '../records/ids.ts'
import type { EndedSet, EndedTransport } from '../transport/transport_audit.ts'
import { compareIds, idMilliseconds } from './entries.ts'
import type { Mirror } from './mirror.ts'
import type { MirrorDependencies } from './ports.ts'
import type { Position } from './position.ts'
import { countRemoved, ResultJanitor } from './result_janitor.ts'
import { wait } from '../time/wait.ts'

/** How long ended transports stay in Redis, and results in them, ms after the end. Left out: failed ones go at once, results stay. */
export type TransportClocks = {
  completed: number
  cancelled: number
  failed?: number
  results?: number
}

export type JanitorOptions = {
  kept: TransportClocks
  /** Pause between two rounds, ms. Default 1,000. */
  every?: number
  /** Entries that stay in a stream behind the cursor, for others who read it: ms. Default 60,000. */
  trail?: number
  /** Length at which even those go. Default 200,000. */
  longest?: number
}

/** Transports noted at once, and per set and round. */
const PAGE = 500
const MOST = 5_000

/** Entries that one call removes, so that Redis is not held up. */
const TRIMMED_AT_ONCE = 20_000

/** Kept cancelled transports stand between failed ones: where the last round found nothing to remove, the next one goes on. */
const REWIND_EVERY = 60_000

type Noted = { epoch: number; position: string; ended: EndedTransport[] }

/**
 * Removes from Redis what the records hold: ended transports, and entries behind the cursor.
 *
 * Transports go in two phases, and no clock is part of the proof. First those that ended are noted, with the position of the
 * stream at that moment. When the cursor has passed that position their records are committed; then they are removed, if
 * nothing happened to them since. While an audit of the queue is due the cursor proves nothing, and nothing is removed.
 */
export class Janitor {
  readonly counts = { removed: 0, trimmed: 0 }

  #mirror: Pick<Mirror, 'positions'>
  #dependencies: MirrorDependencies
  #options: Required<JanitorOptions>
  #noted = new Map<string, Noted>()
  #results: ResultJanitor | undefined

  /** Per queue: how many transports at the front of `failed` are only kept because they were cancelled. */
  #skipped = new Map<string, { offset: number; since: number }>()

  constructor(
    mirror: Pick<Mirror, 'positions'>,
    dependencies: MirrorDependencies,
    options: JanitorOptions
  ) {
    this.#mirror = mirror
    this.#dependencies = dependencies
    this.#options = { every: 1_000, trail: 60_000, longest: 200_000, ...options }
    const { results } = options.kept
    if (results !== undefined) this.#results = new ResultJanitor(dependencies, results)
  }

  /** Whether something of a queue is noted and not yet removed. */
  isBusy(queue: string): boolean {
    return this.#noted.has(`failed:${queue}`) || this.#noted.has(`completed:${queue}`)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const position of [...this.#mirror.positions.values()]) {
        if (signal.aborted) return
        try {
          await this.clean(position)
          await this.trim(position)
        } catch (error) {
          if (signal.aborted) return
          this.#dependencies.logger.debug({ err: error }, 'Mirror: cleaning is interrupted')
          await wait(500, signal)
        }
      }
      await wait(this.#options.every, signal)
    }
  }

  /**
   * One round over one queue: removes what was noted in the last one, and notes again.
   */
  async clean(position: Position): Promise<void> {
    await this.#results?.strip(position)
    for (const set of ['failed', 'completed'] as const) {
      const name = `${set}:${position.queue}`
      if (position.notes.audit) {
        this.#noted.delete(name)
        continue
      }
      const noted = this.#noted.get(name)
      if (noted && !(await this.#remove(position, set, noted))) continue
      this.#noted.delete(name)
      const next = await this.#note(position, set)
      if (next) this.#noted.set(name, next)
    }
  }

  /** False while the cursor has not passed the position. */
  async #remove(position: Position, set: EndedSet, noted: Noted): Promise<boolean> {
    if (noted.epoch !== position.epoch) return true
    if (compareIds(position.lastId, noted.position) < 0) return false
    const { writer } = this.#dependencies
    const { queue } = position
    await this.#removeAndCount(queue, set, noted.ended)
    await writer.markGone(
      noted.ended.map(({ id }) => ({ queue, transportId: id, id: recordId(queue, id) }))
    )
    return true
  }

  /** What the cleanup's record says of transports is counted here, whoever removed them. */
  async #removeAndCount(queue: string, set: EndedSet, ended: EndedTransport[]): Promise<void> {
    const { transport, redis } = this.#dependencies
    const kinds: [string, EndedTransport[]][] =
      set === 'completed'
        ? [['completedTransports', ended]]
        : [
            ['cancelledTransports', ended.filter(({ cancelled }) => cancelled)],
            ['failedTransports', ended.filter(({ cancelled }) => !cancelled)],
          ]
    for (const [kind, jobs] of kinds) {
      if (jobs.length === 0) continue
      const removed = await transport.audit.removeEnded(queue, set, jobs, redis)
      this.counts.removed += removed
      await countRemoved(this.#dependencies, kind, removed)
    }
  }

  async #note(position: Position, set: EndedSet): Promise<Noted | null> {
    const { kept } = this.#options
    const { transport, redis } = this.#dependencies
    const { queue, epoch, lastId } = position
    const now = await transport.time(redis)
    const before = set === 'completed' ? now - kept.completed : now
    let offset = set === 'failed' ? this.#offset(queue) : 0
    const ended: EndedTransport[] = []
    let at: string | null = null
    while (ended.length < MOST) {
      const page = await transport.audit.ended(queue, set, { before, offset, limit: PAGE }, redis)
      /** Redis has less than the cursor has seen: the mirror is about to find that out. */
      if (compareIds(page.position, lastId) < 0) return null
      at = page.position
      for (const job of page.ended) {
        const clock = job.cancelled ? kept.cancelled : set === 'failed' ? (kept.failed ?? 0) : 0
        if (job.finishedOn <= now - clock) ended.push(job)
      }
      if (page.ended.length < PAGE) break
      offset += PAGE
      if (set === 'failed' && ended.length === 0) this.#skipped.get(queue)!.offset = offset
    }
    return at === null || ended.length === 0 ? null : { epoch, position: at, ended }
  }

  #offset(queue: string): number {
    const skipped = this.#skipped.get(queue)
    if (skipped && performance.now() - skipped.since < REWIND_EVERY) return skipped.offset
    this.#skipped.set(queue, { offset: 0, since: performance.now() })
    return 0
  }

  /**
   * Removes entries behind the cursor. Its own entry stays, as the proof that nothing after it was lost, and so do those of
   * the last minute, unless there are very many.
   */
  async trim(position: Position): Promise<void> {
    const { redis } = this.#dependencies
    const { trail, longest } = this.#options
    const { key, lastId, notes } = position
    if (idMilliseconds(lastId) === 0 || notes.again || notes.top !== undefined) return
    const length = await redis.xlen(key)
    if (length < 1_000) return
    const until =
      length > longest
        ? lastId
        : `${Math.min(idMilliseconds(lastId), (await this.#dependencies.transport.time(redis)) - trail)}-0`
    for (;;) {
      const trimmed = await redis.xtrim(key, 'MINID', '~', until, 'LIMIT', TRIMMED_AT_ONCE)
      this.counts.trimmed += trimmed
      if (trimmed < TRIMMED_AT_ONCE / 2) return
    }
  }
}
