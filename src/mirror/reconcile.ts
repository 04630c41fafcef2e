import { recordId } from '../records/ids.ts'
import type { StoredJob } from '../records/writer_types.ts'
import { STATE_LISTS, STATE_SETS } from '../transport/transport_audit.ts'
import { isBehind, LOST, type JobState } from './comparison.ts'
import { compareIds, idMilliseconds } from './entries.ts'
import { Folded } from './job_draft.ts'
import type { Mirror } from './mirror.ts'
import type { MirrorDependencies } from './ports.ts'
import type { Position } from './position.ts'
import { repair } from './repair.ts'
import { wait } from '../time/wait.ts'
import type { TransportState } from '../transport/types.ts'
import { inParts } from '../in_parts.ts'

/** Jobs that are compared at once; Redis answers for a page of 1,000 within some 5 ms. */
const PAGE = 500

/** Jobs whose whole facts are fetched at once: payloads and results among them, of which Redis gives up to 4 MB. */
const FACTS = 500

/** How often the progress of an audit is written down. */
const SAVE_EVERY = 3_000

const PHASES = [...STATE_SETS, ...STATE_LISTS, 'records'] as const

/** Where the cursor stood before Redis was asked. */
type Observed = { epoch: number; lastId: string }

/** An observation that cannot be used any more: ids of the stream began anew, or another mirror took over. */
class Outdated extends Error {}

/**
 * Compares what Redis holds with records, after a gap, a restart, or when a queue is seen for the first time, and repairs the
 * records that are behind.
 *
 * Facts are taken together with the stream's position at which they are true. They are compared only once the cursor has
 * passed that position: whatever the stream tells up to there is then in the records, so a difference is something that it
 * did not tell. A record that has meanwhile taken in a later entry is looked at again with new facts. So nothing waits for
 * a quiet moment, a repair never hides an entry that is still unread, and later entries find the record as of the position.
 */
export class Reconcile {
  readonly counts = { compared: 0, repaired: 0, lost: 0 }

  #mirror: Mirror
  #dependencies: MirrorDependencies

  /** Jobs to look at although no audit runs, by queue. */
  #asked = new Map<string, Set<string>>()

  /** Positions that something waits for: reads are then not held up. */
  #waiting = 0

  constructor(mirror: Mirror, dependencies: MirrorDependencies) {
    this.#mirror = mirror
    this.#dependencies = dependencies
    mirror.onIncomplete = (queue, ids) => this.ask(queue, ids)
    mirror.isHurried = () => this.#waiting > 0
  }

  /**
   * Asks for a comparison of some jobs.
   */
  ask(queue: string, transportIds: string[]): void {
    const asked = this.#asked.get(queue) ?? new Set()
    for (const id of transportIds) if (asked.size < 100_000) asked.add(id)
    this.#asked.set(queue, asked)
  }

  /**
   * Works until the signal; what fails because Redis or SQL is away is tried again.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let worked = false
      for (const position of [...this.#mirror.positions.values()]) {
        try {
          worked = (await this.#attend(position, signal)) || worked
        } catch (error) {
          if (signal.aborted) return
          if (!(error instanceof Outdated)) {
            this.#dependencies.logger.debug({ err: error }, 'Mirror: an audit is interrupted')
          }
          await wait(300, signal)
        }
      }
      if (!worked) await wait(100, signal)
    }
  }

  async #attend(position: Position, signal: AbortSignal): Promise<boolean> {
    const asked = this.#asked.get(position.queue)
    if (asked?.size) {
      const ids = [...asked].slice(0, PAGE)
      /** Forgotten first: what is asked for from now on may be about something newer. */
      for (const id of ids) asked.delete(id)
      try {
        await this.#mend(position, ids, signal)
      } catch (error) {
        this.ask(position.queue, ids)
        throw error
      }
      return true
    }
    if (!position.notes.audit) return false
    await this.#audit(position, signal)
    return true
  }

  async #audit(position: Position, signal: AbortSignal): Promise<void> {
    const { logger } = this.#dependencies
    const { reason, phase: first, at: firstAt } = position.notes.audit!
    const before = { ...this.counts }
    let phase = first
    let at = firstAt
    let savedAt = performance.now()
    while (phase < PHASES.length) {
      const page = await this.#page(position, phase, at)
      for (const ids of inParts(page.ids, PAGE)) await this.#compare(position, ids, signal)
      if (signal.aborted) return
      if (page.next === null) phase++
      at = page.next ?? '0'
      if (performance.now() - savedAt < SAVE_EVERY) continue
      savedAt = performance.now()
      const isSaved = await this.#mirror.changeNotes(position, (notes) => ({
        notes: { ...notes, audit: notes.audit && { ...notes.audit, phase, at } },
      }))
      if (!isSaved || !position.notes.audit) throw new Outdated()
    }
    await this.#mirror.changeNotes(position, (notes) => {
      const again = notes.audit?.again
      return {
        notes: { ...notes, audit: again ? { reason: again, phase: 0, at: '0' } : undefined },
      }
    })
    const [compared, repaired, lost] = (['compared', 'repaired', 'lost'] as const).map(
      (name) => this.counts[name] - before[name]
    )
    const level = repaired + lost > 0 ? 'warn' : 'debug'
    logger[level](
      { queue: position.queue, reason, compared, repaired, lost },
      `Mirror: queue "${position.queue}" was compared with its records: ${repaired} repaired, ${lost} lost`
    )
  }

  /**
   * Some ids of one phase, and where to go on; null at its end.
   */
  async #page(
    position: Position,
    phase: number,
    at: string
  ): Promise<{ ids: string[]; next: string | null }> {
    const { redis, transport, writer } = this.#dependencies
    const name = PHASES[phase]
    const key = transport.keys.queue(position.queue) + name
    if (name === 'records') {
      const [createdAt, seq] = at.split(':').map(Number)
      const after = seq === undefined ? undefined : { createdAt, seq }
      const open = await writer.openJobs(position.queue, { after, limit: PAGE })
      const last = open.at(-1)
      return {
        ids: open.map(({ transportId }) => transportId),
        next: last && open.length === PAGE ? `${last.place.createdAt}:${last.place.seq}` : null,
      }
    }
    if ((STATE_SETS as readonly string[]).includes(name)) {
      const [next, members] = await redis.zscan(key, at, 'COUNT', 1_000)
      return {
        ids: members.filter((_, index) => index % 2 === 0),
        next: next === '0' ? null : next,
      }
    }
    /** A list moves while it is read: pages overlap, and what slips through tells of its move in the stream. */
    const from = Number(at)
    const ids = await redis.lrange(key, from, from + 999)
    return { ids, next: ids.length < 1_000 ? null : String(from + 900) }
  }

  /**
   * The cheap look, by which nearly all jobs are found right.
   */
  async #compare(position: Position, ids: string[], signal: AbortSignal): Promise<void> {
    const { queue } = position
    const { transport, writer, redis } = this.#dependencies
    const observed = this.#observe(position)
    const [at, rows, held] = (await transport.call(redis, 'states', [
      transport.keys.events(queue),
      transport.keys.queue(queue),
      ...ids,
    ])) as [string, [TransportState | '', string, string, number][], string]
    await this.#passed(position, { at, held }, observed, signal)
    const records = await writer.states(
      ids.map((transportId) => ({ queue, transportId, id: recordId(queue, transportId) }))
    )
    this.counts.compared += ids.length
    const behind = ids.filter((id, index) => {
      const [state, attempts, run, requested] = rows[index]
      const job: JobState = {
        state,
        attempts: Number(attempts),
        run: Number(run),
        cancelRequested: requested === 1,
      }
      const record = records.get(recordId(queue, id))
      /** Only the whole facts tell a job that was lost, or removed, and is back. */
      const isDoubtful =
        record !== undefined &&
        state !== '' &&
        ((state === 'completed' && record.status === 'failed') || !record.hasTransport)
      return isDoubtful || isBehind(record, job)
    })
    if (behind.length > 0) await this.#mend(position, behind, signal)
  }

  async #mend(position: Position, ids: string[], signal: AbortSignal): Promise<void> {
    let left = ids
    for (let round = 0; left.length > 0; round++) {
      if (signal.aborted) return
      if (round > 200) {
        const { logger } = this.#dependencies
        return logger.warn(
          { queue: position.queue, ids: left.slice(0, 10) },
          'Mirror: jobs change too fast to be compared'
        )
      }
      if (round > 0) await wait(Math.min(10 * 2 ** round, 1_000), signal)
      const later: string[] = []
      for (let from = 0; from < left.length && !signal.aborted;) {
        const part = await this.#mendPart(position, left.slice(from, from + FACTS), signal)
        from += part.seen
        later.push(...part.later)
      }
      left = later
    }
  }

  /**
   * Repairs what is behind; answers how many jobs were looked at, and those whose records went on after the position of the
   * facts.
   */
  async #mendPart(
    position: Position,
    wanted: string[],
    signal: AbortSignal
  ): Promise<{ seen: number; later: string[] }> {
    const { queue } = position
    const { transport, writer, redis } = this.#dependencies
    const observed = this.#observe(position)
    const { position: at, held, facts } = await transport.audit.facts(queue, wanted, redis)
    const ids = wanted.slice(0, facts.length)
    const seen = facts.length
    const due = await this.#dueMoments(
      position,
      ids.filter((_, index) => facts[index]?.state === 'delayed')
    )
    await this.#passed(position, { at, held }, observed, signal)

    const now = idMilliseconds(at) || Date.now()
    let later: string[] = []
    let repaired: StoredJob[] = []
    const isWritten = await this.#mirror.exclusively(async () => {
      this.#stillTrue(position, observed)
      const version = position.versionAt(at)
      const jobs = ids.map((transportId) => ({
        queue,
        transportId,
        id: recordId(queue, transportId),
      }))
      return writer.apply({ cursors: [position.move({})], jobs }, (stored) => {
        const out = new Folded()
        later = []
        stored.forEach((job, index) => {
          const isLater = job.version > version
          const eid = facts[index]?.eid ?? null
          const draft = repair(isLater ? { ...job } : job, facts[index], version, {
            at: now,
            dueAt: due.get(ids[index]) ?? null,
            told: eid === null ? null : position.versionOfEntry(eid),
          })
          if (!draft) return
          if (isLater) later.push(ids[index])
          else draft.finish(out)
        })
        repaired = out.jobs
        return [out]
      })
    })
    if (!isWritten) {
      await this.#mirror.reload()
      return { seen, later: ids }
    }
    const lost = repaired.filter(
      ({ errorCode, status }) => status === 'failed' && errorCode === LOST
    ).length
    this.counts.lost += lost
    this.counts.repaired += repaired.length - lost
    this.#mirror.announcer.add(repaired, this.#mirror.lag.milliseconds)
    return { seen, later }
  }

  /** BullMQ keeps the moment in the score, above twelve bits of order. */
  async #dueMoments(position: Position, ids: string[]): Promise<Map<string, number>> {
    if (ids.length === 0) return new Map()
    const { transport, redis } = this.#dependencies
    const scores = await redis.zmscore(`${transport.keys.queue(position.queue)}delayed`, ...ids)
    return new Map(
      ids.flatMap((id, index) => {
        const score = scores[index]
        return score === null ? [] : [[id, Math.floor(Number(score) / 4096)] as const]
      })
    )
  }

  #observe({ epoch, lastId }: Position): Observed {
    return { epoch, lastId }
  }

  #stillTrue(position: Position, observed: { epoch: number }): void {
    if (position.epoch !== observed.epoch) throw new Outdated()
  }

  /**
   * Waits until everything that the stream held at a position is in the records: its entry `held` was the last one, whatever
   * was cut before `at`.
   */
  async #passed(
    position: Position,
    { at, held }: { at: string; held: string },
    observed: Observed,
    signal: AbortSignal
  ): Promise<void> {
    /** Redis has less than the cursor has seen: the mirror is about to find that out. */
    if (compareIds(at, observed.lastId) < 0) throw new Outdated()
    /** Redis has answered: only a read that begins from now on shows that nothing is left of what it held then. */
    const { reads } = this.#mirror
    this.#waiting++
    try {
      for (;;) {
        this.#stillTrue(position, observed)
        if (position.hasReached(held, reads)) return
        if (signal.aborted) throw new Outdated()
        await wait(5, signal)
      }
    } finally {
      this.#waiting--
    }
  }
}
