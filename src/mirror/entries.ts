/**
 * One entry of a queue's event stream. `fields` holds whatever its writer put there, `event` and `jobId` among it;
 * every value is text, and none of it can be trusted to be what BullMQ or our scripts would write.
 */
export type Entry = { id: string; fields: EntryFields }

export type EntryFields = Record<string, string | undefined>

/**
 * What one read found in one stream, oldest first.
 */
export type StreamReply = { key: string; entries: Entry[] }

/**
 * Stream id of a stream that holds nothing.
 */
export const START = '0-0'

/**
 * The two halves of a stream id: Redis' milliseconds and a sequence number within them.
 */
export function idParts(id: string): [milliseconds: number, sequence: number] {
  const dash = id.indexOf('-')
  return dash < 0 ? [Number(id), 0] : [Number(id.slice(0, dash)), Number(id.slice(dash + 1))]
}

/**
 * Milliseconds of a stream id: when Redis, by its own clock, took the entry.
 */
export function idMilliseconds(id: string): number {
  const dash = id.indexOf('-')
  return Number(dash < 0 ? id : id.slice(0, dash))
}

/**
 * Order of two ids of one stream: below zero when `a` is older.
 */
export function compareIds(a: string, b: string): number {
  const [aMs, aSequence] = idParts(a)
  const [bMs, bSequence] = idParts(b)
  return aMs - bMs || aSequence - bSequence
}

/** Ids of moments beyond it do not fit a version: a date of the year 2248, which somebody wrote by hand. */
const LAST_MILLISECONDS = 2 ** 43 - 2 ** 22

export function isBeyond(id: string): boolean {
  return idMilliseconds(id) > LAST_MILLISECONDS
}

/** Sequence numbers beyond it, which no Redis reaches by itself, would not fit a version. */
const LAST_SEQUENCE = 2 ** 40 - 1

/** What `versionOf` made last: entries of one millisecond follow each other, and making a BigInt costs more than all else there. */
let newest = { milliseconds: 0, version: 0n }

/**
 * The version of a record that has taken in an entry. `skew` (ms) keeps versions growing when a restored or emptied Redis
 * hands out smaller ids than before. While Redis' clock is behind its newest id, all entries have the milliseconds of that one: sequence
 * numbers above 20 bits go on into the next milliseconds. Fits a signed 64-bit integer until the year 2248; it is above 2^53, hence a
 * BigInt.
 */
export function versionOf(id: string, skew: number): bigint {
  const dash = id.indexOf('-')
  const milliseconds = (dash < 0 ? Number(id) : Number(id.slice(0, dash))) + skew
  if (milliseconds !== newest.milliseconds) {
    newest = { milliseconds, version: BigInt(milliseconds) << 20n }
  }
  const sequence = dash < 0 ? 0 : Number(id.slice(dash + 1))
  return sequence === 0
    ? newest.version
    : newest.version + BigInt(Math.min(sequence, LAST_SEQUENCE))
}

/**
 * Entries that say something about one job. All others (`drained`, `paused`, `duplicated`, ...) concern no record.
 */
const KINDS = new Set([
  'added',
  'waiting',
  'delayed',
  'waiting-children',
  'active',
  'completed',
  'failed',
  'stalled',
  'removed',
  'progress',
  'log',
  'cancel-requested',
  'signal-ignored',
  'cancelled',
  'restarted',
  'priority-changed',
  'run-again',
  'waits',
  'checkpoint',
])

export function concernsJob(fields: EntryFields): boolean {
  return fields.jobId !== undefined && fields.jobId !== '' && KINDS.has(fields.event ?? '')
}

/**
 * Whether an entry lacks what its record needs, so that the job's hash has to be read: large payloads and results, which
 * entries leave out, and everything that plain BullMQ producers and workers write.
 */
export function needsHash({
  event,
  prev,
  data,
  returnvalue,
  ats,
  failedReason,
}: EntryFields): boolean {
  switch (event) {
    case 'added':
      return data === undefined
    case 'completed':
      return returnvalue === undefined
    case 'failed':
      return ats === undefined || failedReason === undefined
    case 'delayed':
      return ats === undefined
    case 'waiting':
      return ats === undefined && prev === 'active'
    default:
      return false
  }
}

/**
 * Entries that were read with a skew before ids went back: those up to `until`, and behind the part before.
 */
export type ReadPart = { until: string; skew: number }

/**
 * A stream whose ids went back is read from its beginning. Entries in `parts`, oldest first, may have been read before, when no
 * version was above `top`. Each counts with the skew of its first time: a record that nothing has changed since still has the
 * version of that time, however often ids went back.
 */
export type ReadAgain = { top: bigint; parts: readonly ReadPart[] }

/**
 * The parts of a stream once its ids have gone back.
 *
 * @param skew  What was added to ids until now.
 * @param first  Oldest entry that is still there; `0-0` when there is none.
 * @param last  Newest id that the stream knows now.
 */
export function partsOf(
  before: readonly ReadPart[],
  skew: number,
  { first, last }: { first: string; last: string }
): ReadPart[] {
  const parts: ReadPart[] = []
  if (first === START) return parts
  for (const part of [...before, { until: last, skew }]) {
    const until = compareIds(part.until, last) > 0 ? last : part.until
    const { until: behind } = parts.at(-1) ?? { until: START }
    if (compareIds(until, behind) > 0 && compareIds(until, first) >= 0)
      parts.push({ until, skew: part.skew })
  }
  return parts
}

/**
 * Place of the first entry that a record of this version does not contain yet; the length of the list when it contains them all.
 */
export function firstNew(
  entries: Entry[],
  version: bigint,
  skew: number,
  again?: ReadAgain
): number {
  let from = 0
  if (version === 0n) return from
  while (from < entries.length && versionOf(entries[from].id, skew) <= version) from++
  /** Versions of entries before the restart of ids are compared as they were given then. */
  while (again && version <= again.top && from < entries.length) {
    const { id } = entries[from]
    const part = again.parts.find(({ until }) => compareIds(id, until) <= 0)
    if (!part || versionOf(id, part.skew) > version) break
    from++
  }
  return from
}
