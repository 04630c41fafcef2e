import type { Transport } from '../transport/transport.ts'
import type { RedisClient } from '../transport/client.ts'
import { idMilliseconds } from './entries.ts'

/**
 * How the mirror is doing, as its process reports it every second.
 */
export type MirrorStatus = {
  /** Id of the mirror: `<host>:<pid>:<random>`. */
  owner: string
  /** The database that takes the records, see `Identity`; absent while it is not known. */
  database?: string
  /** Moment of this report by Redis' clock, epoch ms. */
  at: number
  /** Between the newest committed entry's time in Redis and its commit, ms. */
  lag: number
  lagQuantiles: { p50: number; p95: number; p99: number; max: number } | null
  queues: Record<string, QueueStatus>
  /** `since` (epoch ms) is null while the database takes records. */
  sql: { since: number | null; error: string | null }
  redis: { since: number | null; error: string | null }
  /** Since this mirror took the lead. */
  counts: {
    entries: number
    batches: number
    conflicts: number
    gaps: number
    repaired: number
    lost: number
    removed: number
  }
}

export type QueueStatus = {
  /** Id of the last entry that records contain. */
  position: string
  /** Age of the oldest entry that is not in the records, ms; 0 when all of them are. */
  behind: number
  /** Why records and transports are being compared; null when they are not. */
  audit: string | null
  /** The newest gap: entries were lost before they were written, or Redis lost them. */
  gap: { at: number; reason: string } | null
}

/** A report counts for so long, ms: then its mirror is gone. */
const VALID = 10_000

export function statusKey({ keys }: Transport): string {
  return `${keys.prefix}~mirror`
}

export async function writeMirrorStatus(
  transport: Transport,
  status: MirrorStatus,
  client: RedisClient
): Promise<void> {
  await client.set(statusKey(transport), JSON.stringify(status), 'PX', VALID)
}

/**
 * The mirror's newest report; null when no mirror runs.
 *
 * @throws E_REDIS_UNAVAILABLE within 5 s, unless a client of one's own is given
 */
export async function readMirrorStatus(
  transport: Transport,
  client?: RedisClient
): Promise<MirrorStatus | null> {
  const read = (from: RedisClient) => from.get(statusKey(transport))
  const text = client
    ? await read(client)
    : await transport.connections.produce("the mirror's report cannot be read", read)
  return text === null ? null : (JSON.parse(text) as MirrorStatus)
}

/**
 * How far the records are behind, in whole ms: the newest commit's lag, or more while something older is still not written.
 */
export function lagOf({ lag, queues }: MirrorStatus): number {
  return Math.round(Math.max(lag, ...Object.values(queues).map(({ behind }) => behind)))
}

/**
 * For each stream, the age of its oldest entry after the position, ms; 0 where there is none.
 */
export async function behindOf(
  client: RedisClient,
  positions: { key: string; lastId: string }[],
  now: number
): Promise<number[]> {
  if (positions.length === 0) return []
  const pipeline = client.pipeline()
  for (const { key, lastId } of positions) pipeline.xrange(key, `(${lastId}`, '+', 'COUNT', 1)
  const answers = (await pipeline.exec()) ?? []
  return answers.map(([error, entries]) => {
    if (error) throw error
    const [next] = entries as [string][]
    return next ? Math.max(0, now - idMilliseconds(next[0])) : 0
  })
}
