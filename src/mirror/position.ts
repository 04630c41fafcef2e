import type { Cursor, CursorMove } from '../records/writer_types.ts'
import { compareIds, START, versionOf, type ReadAgain, type ReadPart } from './entries.ts'

/**
 * An audit of a queue that is due or under way: every transport and every open record is compared. It is kept beside the
 * cursor, so that it goes on where it was when a mirror is killed in the middle of it.
 */
export type AuditNote = {
  reason: string
  /** Position in the list of phases, and within the phase. */
  phase: number
  at: string
  /** Asked for once more while it ran. */
  again?: string
}

/**
 * What the mirror keeps beside a cursor.
 */
export type Notes = {
  audit?: AuditNote
  /** Ids went back: versions must rank above this logical millisecond, once the first entry shows by how much. */
  top?: number
  /** Entries that may have been read before ids went back. */
  again?: { until: string; top: string }
  /** What the stream still holds of each time before ids went back; kept for the next time. */
  parts?: ReadPart[]
  /** The cursor's entry is known to be gone: then only the stream's last id proves that nothing was missed. */
  missing?: { id: string; last: string }
  /** When the newest gap was found, and why. */
  gap?: { at: number; reason: string }
}

/**
 * How far one queue's stream is in the records: the committed cursor as this process knows it.
 */
export class Position {
  readonly queue: string
  /** Key of the event stream. */
  readonly key: string
  lastId = START
  skew = 0
  server: string | null = null
  notes: Notes = {}

  /** Number of the newest read after which nothing of this stream was left to write. */
  drained = 0

  /** Grows whenever ids start anew: what was observed before cannot be compared with what comes after. */
  epoch = 0

  constructor(queue: string, key: string) {
    this.queue = queue
    this.key = key
  }

  load(cursor: Cursor): void {
    if (cursor.skew !== this.skew || compareIds(cursor.lastId, this.lastId) < 0) this.epoch++
    this.lastId = cursor.lastId
    this.skew = cursor.skew
    this.server = cursor.server
    this.notes = cursor.notes ? (JSON.parse(cursor.notes) as Notes) : {}
  }

  /**
   * A move from where the cursor stands; takes effect here by `commit`.
   */
  move(next: {
    lastId?: string
    skew?: number
    server?: string | null
    notes?: Notes
  }): CursorMove {
    const {
      lastId = this.lastId,
      skew = this.skew,
      server = this.server,
      notes = this.notes,
    } = next
    const isEmpty = Object.values(notes).every((value) => value === undefined)
    return {
      queue: this.queue,
      from: { lastId: this.lastId, skew: this.skew },
      next: { lastId, skew, server, notes: isEmpty ? null : JSON.stringify(notes) },
    }
  }

  commit({ next }: CursorMove): void {
    this.load({ queue: this.queue, ...next })
  }

  /** Highest version that may have been given out so far. */
  get top(): bigint {
    const { top } = this.notes
    const floor = top === undefined ? 0n : (BigInt(top) << 20n) | 0xf_ffffn
    const reached = this.lastId === START ? 0n : versionOf(this.lastId, this.skew)
    return floor > reached ? floor : reached
  }

  /** Highest logical millisecond that may have been given out so far. */
  get topMilliseconds(): number {
    return Number(this.top >> 20n)
  }

  /** The version of a record that is true as of a position of the stream. */
  versionAt(position: string): bigint {
    const version = versionOf(position, this.skew)
    if (position !== START && this.notes.top === undefined) return version
    return version > this.top ? version : this.top
  }

  /** The version that an entry of the stream gave its record when it was first read, or would give it now. */
  versionOfEntry(id: string): bigint {
    const part = this.notes.parts?.find(({ until }) => compareIds(id, until) <= 0)
    return versionOf(id, part?.skew ?? this.skew)
  }

  /**
   * Whether everything that the stream held at `position` is in the records. Either the cursor has passed it, or a read that
   * began after read number `sinceRead` found nothing more.
   */
  hasReached(position: string, sinceRead: number): boolean {
    return compareIds(this.lastId, position) >= 0 || this.drained > sinceRead
  }

  get readAgain(): ReadAgain | undefined {
    const { again, parts = [] } = this.notes
    return again && { top: BigInt(again.top), parts }
  }
}

/**
 * Asks for an audit; one that runs is followed by another.
 */
export function withAudit(notes: Notes, reason: string): Notes {
  const audit = notes.audit ? { ...notes.audit, again: reason } : { reason, phase: 0, at: '0' }
  return { ...notes, audit }
}
