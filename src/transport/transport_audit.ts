import { readSummary, type CheckpointSummary } from './checkpoints.ts'
import type { RedisClient } from './client.ts'
import { readEdges, type FlowEdge } from './flow_edges.ts'
import type { Transport } from './transport.ts'
import type { TransportState } from './types.ts'
import { inParts } from '../in_parts.ts'

/** A position in an event stream: `milliseconds-sequence`; `0-0` is before everything. */
export type StreamPosition = string

/** What Redis holds of a job. Numbers are numbers, absent fields null, JSON is text. */
export type TransportFacts = {
  id: string
  state: TransportState
  /** The job's last entry of its state; null when plain BullMQ made it. Progress and log entries do not count. */
  eid: StreamPosition | null
  /** Whether that entry is still in the stream: then the stream will tell, and nothing needs repair. */
  streamed: boolean
  name: string
  data: string | null
  opts: string | null
  /** Attempts started and made in this run. */
  attemptsStarted: number
  attemptsMade: number
  returnvalue: string | null
  failedReason: string | null
  /** JSON list of stacks, ours with the last one only. */
  stacktrace: string | null
  progress: string | null
  worker: string | null
  run: number
  finishedOn: number | null
  processedOn: number | null
  timestamp: number | null
  /** Milliseconds; with `timestamp` the due moment of a dispatch, not of a retry. */
  delay: number
  priority: number
  /** The request to cancel this run, JSON `{at, by, reason}`. */
  cancelRequest: string | null
  losses: number
  /** What it keeps for its next attempts, in short. */
  checkpoints: CheckpointSummary | null
  /** What it waits for, where that is too long a list for its options. */
  waits: FlowEdge[]
}

/** A job that had ended when it was noted. `mark` changes with everything that happens to it. */
export type EndedTransport = { id: string; mark: string; finishedOn: number; cancelled: boolean }

export type EndedSet = 'completed' | 'failed'

/** Where a job's id may stand. */
export const STATE_SETS = [
  'completed',
  'failed',
  'delayed',
  'prioritized',
  'waiting-children',
] as const
export const STATE_LISTS = ['wait', 'paused', 'active'] as const

/**
 * What reconcile, the janitor and trimming ask of Redis. All on the mirror's connection unless another is given; all wait
 * for Redis when it is away.
 */
export class TransportAudit {
  constructor(private transport: Transport) {}

  /**
   * Facts of some jobs (at most a few hundred), atomically with the stream's position at which they are true. `facts[i]` is null
   * when Redis does not know `ids[i]`. Of very large jobs fewer facts come than were asked for, at least one. `first` is the
   * oldest entry still there and `held` the newest, `0-0` when there is none.
   */
  async facts(
    queue: string,
    ids: string[],
    client: RedisClient = this.transport.connections.mirror
  ): Promise<{
    position: StreamPosition
    first: StreamPosition
    held: StreamPosition
    facts: (TransportFacts | null)[]
  }> {
    const { keys } = this.transport
    const [position, first, rows, held] = (await this.transport.call(client, 'facts', [
      keys.events(queue),
      keys.queue(queue),
      ...ids,
    ])) as [string, string, [TransportState | '', number, (string | null)[]][], string]
    return { position, first, held, facts: rows.map((row, index) => toFacts(ids[index], row)) }
  }

  /** The last entry of each job, null where it has none or Redis does not know it: the cheap first look. */
  async lastEntries(
    queue: string,
    ids: string[],
    client: RedisClient = this.transport.connections.mirror
  ): Promise<(StreamPosition | null)[]> {
    const pipeline = client.pipeline()
    for (const id of ids) pipeline.hget(this.transport.keys.job(queue, id), 'eid')
    const replies = (await pipeline.exec()) ?? []
    return replies.map(([error, value]) => {
      if (error) throw error
      return value as string | null
    })
  }

  /**
   * Ids of all jobs that Redis holds, in pages. While jobs move, one may be seen twice or, moving against the direction of
   * the scan, not at all: its own entry tells of that move.
   */
  async *ids(
    queue: string,
    client: RedisClient = this.transport.connections.mirror
  ): AsyncGenerator<string[]> {
    const prefix = this.transport.keys.queue(queue)
    for (const set of STATE_SETS) {
      let cursor = '0'
      do {
        const [next, members] = await client.zscan(prefix + set, cursor, 'COUNT', 1000)
        cursor = next
        if (members.length > 0) yield members.filter((_, index) => index % 2 === 0)
      } while (cursor !== '0')
    }
    for (const list of STATE_LISTS) {
      // Pages overlap, because a list moves while it is read.
      for (let from = 0; ; from += 900) {
        const members = await client.lrange(prefix + list, from, from + 999)
        if (members.length > 0) yield members
        if (members.length < 1000) break
      }
    }
  }

  /**
   * First phase of cleanup: jobs that ended before a moment, oldest first, with the stream's position at which that was so.
   * When the mirror has committed that position, their records hold all that these jobs said.
   */
  async ended(
    queue: string,
    set: EndedSet,
    options: { before: number; after?: number; offset?: number; limit?: number },
    client: RedisClient = this.transport.connections.mirror
  ): Promise<{ position: StreamPosition; ended: EndedTransport[] }> {
    const { keys } = this.transport
    const args = [
      keys.events(queue),
      keys.queue(queue),
      set,
      options.before,
      options.offset ?? 0,
      options.limit ?? 500,
      ...(options.after === undefined ? [] : [options.after]),
    ]
    const [position, rows] = (await this.transport.call(client, 'ended', args)) as [
      string,
      [string, string, string, number][],
    ]
    return {
      position,
      ended: rows.map(([id, mark, at, cancelled]) => ({
        id,
        mark,
        finishedOn: Number(at),
        cancelled: cancelled === 1,
      })),
    }
  }

  /** Second phase: removes those that nothing happened to since. Returns how many. */
  async removeEnded(
    queue: string,
    set: EndedSet,
    ended: Pick<EndedTransport, 'id' | 'mark'>[],
    client: RedisClient = this.transport.connections.mirror
  ): Promise<number> {
    const { keys } = this.transport
    let removed = 0
    for (const part of inParts(ended, 500)) {
      const pairs = part.flatMap(({ id, mark }) => [id, mark])
      removed += (await this.transport.call(client, 'remove_ended', [
        keys.events(queue),
        keys.queue(queue),
        set,
        ...pairs,
      ])) as number
    }
    return removed
  }

  /** Second phase for results: forgets those of completed jobs that nothing happened to since. Returns of how many. */
  async stripResults(
    queue: string,
    ended: Pick<EndedTransport, 'id' | 'mark'>[],
    client: RedisClient = this.transport.connections.mirror
  ): Promise<number> {
    const { keys } = this.transport
    const pairs = ended.flatMap(({ id, mark }) => [id, mark])
    const args = [keys.events(queue), keys.queue(queue), ...pairs]
    return (await this.transport.call(client, 'strip_results', args)) as number
  }

  /**
   * Removes ids of running jobs that have neither a job nor a lock, and lets locks without an end run out after `longest` ms.
   * With `onlyCount` it changes nothing. Returns how many there were.
   */
  async sweepOrphans(
    queue: string,
    longest: number,
    onlyCount: boolean,
    client: RedisClient
  ): Promise<number> {
    const { keys } = this.transport
    let orphans = 0
    for (let from = 0; ; from += 1_000) {
      const args = [
        keys.events(queue),
        keys.queue(queue),
        longest,
        onlyCount ? '1' : '0',
        from,
        1_000,
      ]
      const [held, found] = (await this.transport.call(client, 'sweep_orphans', args)) as number[]
      orphans += found
      if (held <= from + 1_000) return orphans
    }
  }

  /** Those of these pending jobs that none of the queue's sets and lists names; none of lists of more than 100,000. */
  async strays(queue: string, ids: string[], client: RedisClient): Promise<string[]> {
    const { keys } = this.transport
    const args = [keys.events(queue), keys.queue(queue), ...ids]
    return (await this.transport.call(client, 'strays', args)) as string[]
  }

  /** Gives back unique keys whose jobs are gone or no longer need them. With `onlyCount` it changes nothing. Returns how many there were. */
  async sweepUnique(onlyCount: boolean, client: RedisClient): Promise<number> {
    let stale = 0
    let cursor = '0'
    do {
      const args = [this.transport.keys.unique, cursor, 500, onlyCount ? '1' : '0']
      const answer = await this.transport.call(client, 'sweep_unique', args)
      const [next, found] = answer as [string, number]
      stale += found
      cursor = next
    } while (cursor !== '0')
    return stale
  }

  /**
   * Claims jobs whose records are to be erased, for so many milliseconds: none that Redis holds, and none of them can be
   * restarted meanwhile. `position` is where the stream stands: once the mirror has passed it, records say all that
   * happened to these jobs.
   */
  async claimErasure(
    queue: string,
    ids: string[],
    milliseconds: number,
    client: RedisClient
  ): Promise<{ position: StreamPosition; claimed: number[] }> {
    const { keys } = this.transport
    const args = [keys.erasing, keys.events(queue), keys.queue(queue), milliseconds, ...ids]
    const answer = await this.transport.call(client, 'claim_erasure', args)
    const [position, claimed] = answer as [StreamPosition, number[]]
    return { position, claimed }
  }

  /** Gives claims of `claimErasure` back. */
  async endErasure(queue: string, ids: string[], client: RedisClient): Promise<void> {
    const { keys } = this.transport
    if (ids.length > 0) await client.srem(keys.erasing, ...ids.map((id) => keys.job(queue, id)))
  }

  /** When the pending job whose turn is next was made, by its producer's clock, epoch ms; null when none waits, or it does not say. */
  async nextSince(queue: string, client: RedisClient): Promise<number | null> {
    const prefix = this.transport.keys.queue(queue)
    for (const list of ['wait', 'paused']) {
      const id = await client.lindex(prefix + list, -1)
      if (id !== null) return momentOf(await client.hget(prefix + id, 'timestamp'))
    }
    const [first] = await client.zrange(`${prefix}prioritized`, 0, 0)
    return first === undefined ? null : momentOf(await client.hget(prefix + first, 'timestamp'))
  }

  /** How many entries each queue's event stream holds. */
  async streamLengths(queues: string[], client: RedisClient): Promise<number[]> {
    const pipeline = client.pipeline()
    for (const queue of queues) pipeline.xlen(this.transport.keys.events(queue))
    return ((await pipeline.exec()) ?? []).map(([error, length]) => {
      /** A key of another kind is no stream: it holds no entries. */
      if (error && !/^WRONGTYPE/.test(error.message)) throw error
      return error ? 0 : (length as number)
    })
  }

  /**
   * Removes entries before a position, exactly; the entry at the position stays, as the proof that nothing after it was lost.
   * Returns how many were removed.
   */
  trim(
    queue: string,
    position: StreamPosition,
    client: RedisClient = this.transport.connections.mirror
  ): Promise<number> {
    return client.xtrim(this.transport.keys.events(queue), 'MINID', position)
  }
}

/** The end of the year 9999: what is beyond counts something else than milliseconds. */
const LAST_MOMENT = 253_402_300_799_999

/** A moment of a hash that anyone may have written: a producer that gives a date as text makes it none. */
function momentOf(text: string | null): number | null {
  const value = Math.round(Number(text || Number.NaN))
  return value >= 0 && value <= LAST_MOMENT ? value : null
}

function toFacts(
  id: string,
  [state, streamed, fields]: [TransportState | '', number, (string | null)[]]
): TransportFacts | null {
  if (state === '') return null
  const [
    eid,
    name,
    data,
    opts,
    ats,
    atm,
    returnvalue,
    failedReason,
    stacktrace,
    progress,
    pb,
    run,
    ...moments
  ] = fields
  const [finishedOn, processedOn, timestamp, delay, priority, cancelRequest, losses, cp, waits] =
    moments
  return {
    id,
    state,
    eid,
    streamed: streamed === 1,
    name: name!,
    data,
    opts,
    attemptsStarted: ordinal(ats, 0),
    attemptsMade: ordinal(atm, 0),
    returnvalue,
    failedReason,
    stacktrace,
    progress,
    worker: pb,
    run: ordinal(run, 1),
    finishedOn: momentOf(finishedOn),
    processedOn: momentOf(processedOn),
    timestamp: momentOf(timestamp),
    delay: Number(delay ?? 0),
    priority: Number(priority ?? 0),
    cancelRequest,
    losses: Number(losses ?? 0),
    checkpoints: readSummary(cp),
    waits: waits ? readPieces(waits) : [],
  }
}

function readPieces(text: string): FlowEdge[] {
  try {
    const pieces: unknown = JSON.parse(text)
    return Array.isArray(pieces) ? pieces.flatMap(readEdges) : []
  } catch {
    return []
  }
}

/** A number of runs or attempts, from a hash that anyone may have written; what no job reaches counts as not said. */
function ordinal(text: string | null, otherwise: number): number {
  const value = Number(text ?? otherwise)
  return Number.isSafeInteger(value) && value >= 0 && value <= 1_000_000_000 ? value : otherwise
}
