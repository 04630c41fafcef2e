import type { Redis } from 'ioredis'
import { compareIds, isBeyond, partsOf, START } from './entries.ts'
import { withAudit, type Notes, type Position } from './position.ts'

/**
 * What a check of a stream found: `proven` when nothing was missed, else where to go on and with which notes.
 */
export type Finding =
  | { kind: 'proven' }
  | { kind: 'gap'; reason: string; notes: Notes }
  | { kind: 'restart'; reason: string; lastId: string; notes: Notes }

const PROVEN: Finding = { kind: 'proven' }

/**
 * Answers, for each position, whether the entry that its cursor stands on still exists. Streams are cut at their old end
 * only, so while it exists, a read that came before this check has missed nothing.
 */
export async function entriesExist(redis: Redis, positions: Position[]): Promise<boolean[]> {
  if (positions.length === 0) return []
  const pipeline = redis.pipeline()
  for (const { key, lastId } of positions) pipeline.xrange(key, lastId, lastId)
  const answers = await pipeline.exec()
  return positions.map((position, index) => {
    const [error, entries] = answers![index]
    if (error) throw error
    return position.lastId === START || (entries as unknown[]).length > 0
  })
}

/**
 * Answers, for each key, whether it may be read as a stream: it is one whose ids fit the versions of records, or there is none yet. A
 * single key of another type would fail the read of all of them, a single id the writing.
 */
export async function areStreams(redis: Redis, keys: string[]): Promise<boolean[]> {
  if (keys.length === 0) return []
  const pipeline = redis.pipeline()
  for (const key of keys) pipeline.type(key).xrevrange(key, '+', '-', 'COUNT', 1)
  const answers = (await pipeline.exec())!
  return keys.map((_, index) => {
    const [error, type] = answers[index * 2]
    if (error) throw error
    const [newest] = (answers[index * 2 + 1][1] ?? []) as [[string]?]
    return type === 'none' || (type === 'stream' && !(newest && isBeyond(newest[0])))
  })
}

/**
 * Looks closer at a stream whose cursor's entry is gone: cut behind the mirror's back, emptied, or replaced by an older one.
 *
 * @param hasRead  Whether the read before found entries after the cursor.
 */
export async function examine(
  redis: Redis,
  position: Position,
  hasRead: boolean
): Promise<Finding> {
  const { first, last } = await ends(redis, position.key)
  const { lastId, notes } = position
  const gap = { at: Date.now() }

  if (compareIds(last, lastId) < 0) {
    /** Ids went back. All that is there is read; what was read before is told apart by its record's version. */
    const reason = last === START ? 'the event stream was deleted' : 'an older Redis came back'
    const next = {
      ...notes,
      top: position.topMilliseconds,
      again: { until: last, top: String(position.top) },
      parts: partsOf(notes.parts ?? [], position.skew, { first, last }),
      missing: undefined,
      gap: { ...gap, reason },
    }
    return { kind: 'restart', reason, lastId: START, notes: withAudit(next, reason) }
  }

  if (notes.missing?.id === lastId) {
    /** Known already; news are whether anything was added, and gone, since. */
    if (hasRead || notes.missing.last === last) {
      return hasRead ? found('entries were lost before') : PROVEN
    }
  }
  return found(
    first !== START && compareIds(first, lastId) < 0
      ? 'an older Redis came back'
      : 'the event stream was cut'
  )

  function found(reason: string): Finding {
    const next = { ...notes, missing: { id: lastId, last }, gap: { ...gap, reason } }
    return { kind: 'gap', reason, notes: withAudit(next, reason) }
  }
}

/**
 * Id of the oldest entry of a stream and the newest id it ever gave; both `0-0` when there is no stream.
 */
async function ends(redis: Redis, key: string): Promise<{ first: string; last: string }> {
  let information: unknown[]
  try {
    information = (await redis.xinfo('STREAM', key)) as unknown[]
  } catch (error) {
    if (/no such key/i.test((error as Error).message)) return { first: START, last: START }
    throw error
  }
  const value = (name: string) => information[information.indexOf(name) + 1]
  const first = value('first-entry') as [string] | null
  return { first: first?.[0] ?? START, last: String(value('last-generated-id')) }
}

/**
 * `run_id` of the server: another one means that Redis was restarted or failed over.
 */
export async function serverId(redis: Redis): Promise<string> {
  return /run_id:(\w+)/.exec(await redis.info('server'))?.[1] ?? 'unknown'
}
