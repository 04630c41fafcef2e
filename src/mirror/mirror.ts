import { StreamBatch } from './batch.ts'
import { ChangeAnnouncer } from './change_announcer.ts'
import { areStreams, entriesExist, examine, serverId } from './continuity.ts'
import { isBeyond, type StreamReply } from './entries.ts'
import { LagMeter } from './lag_meter.ts'
import type { MirrorDependencies } from './ports.ts'
import type { FoldResult } from '../records/writer_types.ts'
import { Position, withAudit, type Notes } from './position.ts'
import { wait } from '../time/wait.ts'
import { fromRedis, Outage, RedisFailure } from './retry.ts'
import type { StreamReader } from './stream_reader.ts'

export type MirrorOptions = {
  /** Entries written in one transaction, about. Fewer keep the event loop of a shared process free. Default 4,000. */
  batch?: number
}

/**
 * How long entries gather before the next read, ms, while the mirror keeps up: as many times as long as what was read last took to
 * write. So it takes a third of a processor at most, of `many` entries a fifth, and the workers get the rest; the more there is to do, the
 * more entries of a job come together and are one change of its record. Measured with jobs of 5 ms, 50 at once, into SQLite: 6 % more of
 * them than with a third; but at 1,000 jobs/s records would be behind for twice as long.
 */
const GATHER = { many: 250, times: 2, timesOfMany: 4, least: 8, most: 150 }

/** Longest wait of a read for entries; new queues are taken up after it. */
const BLOCK = 500

/** How often idle streams are checked for gaps, and the server for a restart. */
const CHECK_EVERY = 1_000

/**
 * Writes the event streams of all queues into records.
 *
 * One blocking read covers all queues. In one transaction the cursor of each queue moves by compare-and-set, and the records
 * change as its entries say. So being killed at any instant, replays and other mirrors on the same records are harmless; only
 * one of several mirrors gets a batch in, the others load the cursors again.
 */
export class Mirror {
  readonly positions = new Map<string, Position>()
  readonly announcer: ChangeAnnouncer
  readonly lag: LagMeter
  readonly redisOutage = new Outage()
  readonly sqlOutage = new Outage()
  readonly counts = { entries: 0, batches: 0, conflicts: 0, gaps: 0, hashes: 0 }

  /** Called with jobs whose record began in the middle, so that somebody looks at them. */
  onIncomplete: (queue: string, transportIds: string[]) => void = () => {}

  /** Shortens the waiting of reads while somebody waits for a stream to be drained. */
  isHurried: () => boolean = () => false

  #dependencies: MirrorDependencies
  #reader: StreamReader
  #options: Required<MirrorOptions>

  /** Number of the newest read that began. */
  #reads = 0
  #ahead: { from: string; number: number; reply: Promise<StreamReply[]> } | undefined

  /** Streams share the size of a batch: so many times what the one of them gave that had most, all gave in the last read. */
  #busyStreams = 1

  /** Whether one of them gave as much as it was asked for. */
  #hasMore = false
  #server: string | null = null
  #checkedAt = -Infinity

  /** Transactions of the loop and of repairs, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(dependencies: MirrorDependencies, reader: StreamReader, options: MirrorOptions = {}) {
    this.#dependencies = dependencies
    this.#reader = reader
    this.#options = { batch: options.batch ?? 4_000 }
    const { transport, redis } = dependencies
    this.announcer = new ChangeAnnouncer((notice) => transport.changes.publish(notice, redis))
    this.lag = new LagMeter(() => transport.time(redis))
  }

  /** Number of the newest read that began: see `Position.hasReached`. */
  get reads(): number {
    return this.#reads
  }

  /**
   * Takes up queues; those that it knows already are left alone, and so are those whose key is no stream.
   */
  async watch(queues: string[]): Promise<void> {
    const missing = queues.filter((queue) => !this.positions.has(queue))
    if (missing.length === 0) return
    const { redis, transport } = this.#dependencies
    const isStream = await areStreams(
      redis,
      missing.map((queue) => transport.keys.events(queue))
    )
    const fresh = missing.filter((_, index) => isStream[index])
    if (fresh.length === 0) return
    const cursors = await this.#dependencies.writer.cursors(fresh)
    for (const queue of fresh) {
      const position = new Position(queue, transport.keys.events(queue))
      position.load(cursors.get(queue)!)
      this.positions.set(queue, position)
    }
  }

  /**
   * Loads all cursors again: another mirror moved them.
   */
  async reload(): Promise<void> {
    const cursors = await this.#dependencies.writer.cursors([...this.positions.keys()])
    for (const [queue, cursor] of cursors) this.positions.get(queue)?.load(cursor)
  }

  /**
   * Reads and writes until the signal. Neither Redis nor SQL being away ends it.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#reader.close()
    signal.addEventListener('abort', stop, { once: true })
    try {
      while (!signal.aborted) await this.#step(signal)
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#ahead?.reply.catch(() => {})
      this.#ahead = undefined
      this.#reader.close()
      await this.announcer.close()
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.positions.size === 0) return wait(100, signal)
    let replies: StreamReply[]
    try {
      replies = await this.#read()
      if (replies.some(({ entries }) => isBeyond(entries.at(-1)!.id))) {
        return await this.#dropOthers()
      }
      if (this.redisOutage.recovered()) this.#note('info', 'Redis is back')
    } catch (error) {
      this.#ahead = undefined
      if (signal.aborted) return
      if ((error as Error).message.startsWith('WRONGTYPE')) await this.#dropOthers().catch(() => {})
      else if (this.redisOutage.failed(error)) this.#note('warn', 'Redis is away', error)
      return wait(250, signal)
    }
    try {
      const begun = performance.now()
      const size = await this.#write(replies, signal)
      const took = performance.now() - begun
      if (this.sqlOutage.recovered()) this.#note('info', 'The database is back')
      if (size > 0 && !this.#isBehind(size)) await wait(gatherAfter(size, took), signal)
    } catch (error) {
      this.#ahead = undefined
      if (signal.aborted) return
      const isRedis = error instanceof RedisFailure
      const outage = isRedis ? this.redisOutage : this.sqlOutage
      if (outage.failed(error)) {
        this.#note('warn', isRedis ? 'Redis is away' : 'The database takes no records', error)
      }
      /** Nothing was moved. A batch that the database could not take in time is tried in smaller pieces. */
      this.#busyStreams = Math.min(this.#busyStreams * 4, this.#options.batch)
      await wait(100 + Math.random() * 200, signal)
      await this.reload().catch(() => {})
    }
  }

  /** Where a stream has more than it was asked for, or the batch was nearly full, nothing has to gather; nor while somebody waits. */
  #isBehind(size: number): boolean {
    return this.#hasMore || size >= this.#options.batch * 0.75 || this.isHurried()
  }

  /**
   * The next entries. Where there is more, the read after it has already been sent while the ones before were written.
   */
  async #read(): Promise<StreamReply[]> {
    const from = this.#from()
    if (this.#ahead && this.#ahead.from !== from) {
      await this.#ahead.reply.catch(() => {})
      this.#ahead = undefined
    }
    const ahead = this.#ahead ?? this.#send(from)
    this.#ahead = undefined
    const replies = await ahead.reply
    const read = new Map(replies.map(({ key, entries }) => [key, entries]))
    const count = this.#count
    for (const position of this.positions.values()) {
      const entries = read.get(position.key)
      if (!entries) position.drained = ahead.number
    }
    const sizes = replies.map(({ entries }) => entries.length)
    const most = Math.max(1, ...sizes)
    this.#busyStreams = Math.max(1, Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / most))
    this.#hasMore = most >= count
    return replies
  }

  /** Where the last read says that there is more. */
  #readAhead(replies: StreamReply[]): void {
    if (!this.#hasMore) return
    const next = this.#from(new Map(replies.map(({ key, entries }) => [key, entries.at(-1)!.id])))
    this.#ahead = this.#send(next)
    this.#ahead.reply.catch(() => {})
  }

  /**
   * Leaves out queues whose key is no stream that can be read any more, until it is one again.
   */
  async #dropOthers(): Promise<void> {
    const positions = [...this.positions.values()]
    const isStream = await areStreams(
      this.#dependencies.redis,
      positions.map(({ key }) => key)
    )
    for (const [index, { queue, key }] of positions.entries()) {
      if (isStream[index]) continue
      this.positions.delete(queue)
      const remedy = 'its queue is not mirrored until that key is deleted'
      this.#note('error', `"${key}" is no event stream, or has ids beyond all dates: ${remedy}`)
    }
  }

  get #count(): number {
    return Math.max(1, Math.ceil(this.#options.batch / this.#busyStreams))
  }

  /** Positions as one text, to tell whether a read that was sent ahead still begins where the cursors stand. */
  #from(after?: Map<string, string>): string {
    const parts: string[] = []
    for (const { key, lastId } of this.positions.values())
      parts.push(key, after?.get(key) ?? lastId)
    return parts.join('\n')
  }

  #send(from: string) {
    const parts = from.split('\n')
    const keys = parts.filter((_, index) => index % 2 === 0)
    const ids = parts.filter((_, index) => index % 2 === 1)
    const block = this.isHurried() ? 20 : BLOCK
    return { from, number: ++this.#reads, reply: this.#reader.read(this.#count, block, keys, ids) }
  }

  /**
   * Writes what was read; answers the number of entries.
   */
  async #write(replies: StreamReply[], signal: AbortSignal): Promise<number> {
    const read = new Map(replies.map((reply) => [reply.key, reply.entries]))
    const positions = [...this.positions.values()].filter(({ key }) => read.get(key)?.length)
    const isCheckDue = performance.now() - this.#checkedAt >= CHECK_EVERY
    if (positions.length === 0 && !isCheckDue) return 0

    const batch = new StreamBatch()
    if (isCheckDue) await this.#checkServer()
    const begunAt = new Map(positions.map((position) => [position, position.lastId]))
    await this.#proveContinuity(isCheckDue ? [...this.positions.values()] : positions, read)
    for (const position of positions) {
      /** A stream whose ids went back, or that another mirror moved, is read again from where its cursor now stands. */
      if (position.lastId !== begunAt.get(position)) continue
      batch.add(position, read.get(position.key)!)
    }
    this.counts.hashes += await fromRedis(batch.complete(this.#dependencies.redis))
    if (isCheckDue) this.#checkedAt = performance.now()
    if (batch.size === 0) return 0

    const isWritten = await this.exclusively(async () => {
      const moves = batch.moves(this.#server)
      if (!moves) return false
      const isUnhurried = !this.#isBehind(batch.size)
      const isApplied = await this.#dependencies.writer.apply(
        { cursors: moves, jobs: batch.keys, isUnhurried },
        (stored) => this.#fold(batch.fold(stored, isUnhurried), replies)
      )
      if (isApplied) batch.positions.forEach((position, index) => position.commit(moves[index]))
      return isApplied
    })
    if (!isWritten) {
      this.counts.conflicts++
      await wait(10 + Math.random() * 40, signal)
      await this.reload()
      return batch.size
    }
    this.counts.entries += batch.size
    this.counts.batches++
    this.#announce(batch)
    return batch.size
  }

  /**
   * Asks for the entries after these as soon as the database has a part to write: they come while it does that, and not in front of what
   * this batch needs of Redis. A mirror that keeps up has nothing to ask for.
   */
  *#fold(parts: Iterable<FoldResult>, replies: StreamReply[]): Generator<FoldResult> {
    let isFirst = true
    for (const part of parts) {
      yield part
      if (isFirst) this.#readAhead(replies)
      isFirst = false
    }
  }

  #announce(batch: StreamBatch): void {
    const { folded } = batch
    this.lag.committed(batch.ids)
    this.announcer.add(folded, this.lag.milliseconds)
    const incomplete = new Map<string, string[]>()
    for (const { queue, transportId, hasPayload, type, hasTransport } of folded) {
      if ((hasPayload && type !== '?') || !hasTransport) continue
      incomplete.set(queue, [...(incomplete.get(queue) ?? []), transportId])
    }
    for (const [queue, ids] of incomplete) this.onIncomplete(queue, ids)
  }

  /**
   * Checks that nothing was lost between the cursors and what was read after them; what was is noted beside the cursor.
   */
  async #proveContinuity(positions: Position[], read: Map<string, unknown[]>): Promise<void> {
    const { redis } = this.#dependencies
    const lastIds = positions.map(({ lastId }) => lastId)
    const exist = await fromRedis(entriesExist(redis, positions))
    for (const [index, position] of positions.entries()) {
      const isMoved = () => position.lastId !== lastIds[index]
      if (exist[index] || isMoved()) continue
      const hasRead = (read.get(position.key)?.length ?? 0) > 0
      const finding = await fromRedis(examine(redis, position, hasRead))
      if (finding.kind === 'proven') continue
      const lastId = finding.kind === 'restart' ? finding.lastId : position.lastId
      const { notes } = finding
      /** When another mirror has moved the cursor, it also cut the stream behind it: nothing is lost then. */
      const isNoted = await this.changeNotes(position, () =>
        isMoved() ? null : { lastId, notes, server: this.#server }
      )
      if (!isNoted) continue
      this.counts.gaps++
      this.#note('warn', `queue "${position.queue}": ${finding.reason}; its records are audited`)
    }
  }

  /**
   * A queue that is new to the records, or a server that was restarted: transports and records are compared once.
   */
  async #checkServer(): Promise<void> {
    this.#server = await fromRedis(serverId(this.#dependencies.redis))
    for (const position of this.positions.values()) {
      if (position.server === this.#server) continue
      const reason = position.server === null ? 'first seen' : 'Redis was restarted'
      const server = this.#server
      await this.changeNotes(position, (notes) => ({ notes: withAudit(notes, reason), server }))
    }
  }

  /**
   * Changes the notes of a cursor as they stand when it is this change's turn; a lost race loads the cursors again. `change`
   * answers null when there is nothing to change any more.
   */
  async changeNotes(
    position: Position,
    change: (notes: Notes) => Parameters<Position['move']>[0] | null
  ): Promise<boolean> {
    const isWritten = await this.exclusively(async () => {
      const next = change(position.notes)
      if (!next) return false
      const move = position.move(next)
      const isApplied = await this.#dependencies.writer.apply(
        { cursors: [move], jobs: [] },
        () => []
      )
      if (isApplied) position.commit(move)
      return isApplied
    })
    if (!isWritten) await this.reload()
    return isWritten
  }

  /**
   * Runs one transaction at a time.
   */
  exclusively<T>(write: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(write)
    this.#turn = result.catch(() => {})
    return result
  }

  #note(level: 'info' | 'warn' | 'error', message: string, error?: unknown): void {
    this.#dependencies.logger[level](error ? { err: error } : {}, `Mirror: ${message}`)
  }
}

function gatherAfter(size: number, took: number): number {
  const times = size < GATHER.many ? GATHER.times : GATHER.timesOfMany
  return Math.max(GATHER.least, Math.min(GATHER.most, took * times))
}
