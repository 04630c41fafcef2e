import { setTimeout as pause } from 'node:timers/promises'
import { Janitor, type TransportClocks } from '../mirror/janitor.ts'
import { Position } from '../mirror/position.ts'
import type { MirrorDependencies } from '../mirror/ports.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import type { CleanupContext } from './context.ts'
import { type CleanupCounts, CLEANUP_KINDS, type CleanupKind } from './kinds.ts'

const PAGE = 500

/**
 * Removes ended transports of these queues by their clocks, and results in them, as the mirror's janitor does all the time: never
 * before their records are committed. Answers the queues whose mirror is behind, where some had to stay. Queues wait for it side by
 * side, so that a mirror that is not there keeps all of them no longer than one.
 */
export async function sweepTransports(
  dependencies: MirrorDependencies,
  queues: string[],
  kept: TransportClocks,
  { signal, patience, progressed }: Pick<CleanupContext, 'signal' | 'patience' | 'progressed'>
): Promise<string[]> {
  const { transport, writer } = dependencies
  const positions = new Map(
    queues.map((queue) => [queue, new Position(queue, transport.keys.events(queue))])
  )
  const janitor = new Janitor({ positions }, dependencies, { kept })
  const waiting = new Map(positions)
  const deadlines = new Map<string, number>()
  const behind: string[] = []
  for (;;) {
    for (const [queue, position] of waiting) {
      signal.throwIfAborted()
      const { removed } = janitor.counts
      const cursor = (await writer.cursors([queue])).get(queue)
      if (cursor) position.load(cursor)
      await janitor.clean(position)
      progressed('completedTransports')
      const deadline = deadlines.get(queue)
      if (!janitor.isBusy(queue)) {
        waiting.delete(queue)
      } else if (deadline === undefined || janitor.counts.removed > removed) {
        deadlines.set(queue, performance.now() + patience)
      } else if (performance.now() > deadline) {
        behind.push(queue)
        waiting.delete(queue)
      }
    }
    if (waiting.size === 0) return behind
    await pause(10)
  }
}

/**
 * Adds what was removed from Redis since the last time, by whatever process, and begins to count anew.
 */
export async function takeRemoved(
  { keys }: Transport,
  redis: RedisClient,
  counts: CleanupCounts
): Promise<void> {
  /** A transaction would be refused while Redis is full; renaming is as good. */
  const mine = `${keys.removed}:taken`
  const isThere = await redis.rename(keys.removed, mine).catch((error: Error) => {
    if (/no such key/.test(error.message)) return null
    throw error
  })
  if (isThere === null) return
  const taken = await redis.hgetall(mine)
  await redis.del(mine)
  for (const [kind, n] of Object.entries(taken)) {
    if (kind in CLEANUP_KINDS) counts[kind as CleanupKind] += Number(n)
  }
}

/**
 * Counts what `sweepTransports` would remove.
 */
export async function countTransports(
  { transport, redis }: Pick<MirrorDependencies, 'transport' | 'redis'>,
  queue: string,
  kept: Required<TransportClocks>,
  counts: CleanupCounts
): Promise<void> {
  const { audit, keys } = transport
  const now = await transport.time(redis)
  const ended = async function* (set: 'completed' | 'failed', before: number) {
    for (let offset = 0; ; offset += PAGE) {
      const page = await audit.ended(queue, set, { before, offset, limit: PAGE }, redis)
      yield page.ended
      if (page.ended.length < PAGE) return
    }
  }
  for await (const page of ended('completed', now - Math.min(kept.results, kept.completed))) {
    const pipeline = redis.pipeline()
    for (const { id } of page) pipeline.hexists(keys.job(queue, id), 'returnvalue')
    const answers = (await pipeline.exec()) ?? []
    page.forEach(({ finishedOn }, index) => {
      if (finishedOn <= now - kept.completed) counts.completedTransports++
      else if (answers[index][1] === 1) counts.results++
    })
  }
  for await (const page of ended('failed', now)) {
    for (const { cancelled, finishedOn } of page) {
      if (finishedOn > now - (cancelled ? kept.cancelled : kept.failed)) continue
      counts[cancelled ? 'cancelledTransports' : 'failedTransports']++
    }
  }
}
