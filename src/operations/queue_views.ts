import { E_QUEUE_NOT_FOUND } from '../errors.ts'
import { oldestPendingJobs } from '../records/oldest_pending.ts'
import type { Reader } from '../records/reader.ts'
import { assertQueueName } from '../transport/keys.ts'
import type { LimitState } from '../transport/limits.ts'
import { plainWorkers } from '../transport/server_facts.ts'
import type { Transport } from '../transport/transport.ts'
import type { Depths } from '../transport/types.ts'
import { isSuspect } from '../transport/worker_times.ts'
import type { WorkerView } from '../types.ts'
import { inParts } from '../in_parts.ts'

/** Questions to the records at a time. */
const AT_ONCE = 8

/** Rows in which the oldest job is looked for: filters read names in any case, so another queue's may stand in front. */
const LOOKED_AT = 20

/** One queue as it stands. */
export type QueueView = {
  name: string
  paused: boolean
  /** What Redis holds now; of jobs that have ended, only what it still keeps. */
  depths: Omit<Depths, 'paused'>
  /** The pending job that was created first; null when none is pending, or no record says so yet. */
  oldest: { id: string; createdAt: number } | null
  /** Workers that take jobs of it: ours that are registered, reporting and not quiet, and connected ones of other programs. */
  workers: number
  /** Jobs of it that may run at once. */
  limit: Pick<LimitState, 'limit' | 'configured' | 'set' | 'running'>
}

export type QueueDependencies = {
  transport: Transport
  reader: Pick<Reader, 'page'>
}

/**
 * How queues stand, sorted by name: all that are known, or those given.
 *
 * @throws E_REDIS_UNAVAILABLE; while the database is away the oldest jobs are left out
 */
export async function readQueues(
  { transport, reader }: QueueDependencies,
  wanted?: string[]
): Promise<QueueView[]> {
  const names = wanted ?? (await transport.queueNames())
  if (names.length === 0) return []
  const [depths, { limits }, workers] = await Promise.all([
    transport.depths(names),
    transport.limits.view(),
    activeWorkers(transport),
  ])
  const ours = (name: string) => workers.filter(({ queues }) => queues.includes(name)).length
  const others = await plainWorkers(
    transport,
    names.filter((name) => ours(name) === 0)
  )
  const oldest = await oldestPending(
    reader,
    names.filter((name) => depths[name].pending > 0)
  )
  return names.map((name) => {
    const { paused, ...rest } = depths[name]
    const own = limits.find((one) => one.kind === 'queue' && one.queue === name)
    return {
      name,
      paused,
      depths: rest,
      oldest: oldest.get(name) ?? null,
      workers: ours(name) + (others?.get(name) ?? 0),
      limit: {
        limit: own?.limit ?? null,
        configured: own?.configured ?? null,
        set: own?.set ?? null,
        running: own?.running ?? rest.running,
      },
    }
  })
}

/**
 * One queue.
 *
 * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
 */
export async function findQueue(dependencies: QueueDependencies, name: string): Promise<QueueView> {
  await assertQueueKnown(dependencies.transport, name)
  const [queue] = await readQueues(dependencies, [name])
  return queue
}

/**
 * @throws InvalidInputException, E_QUEUE_NOT_FOUND, E_REDIS_UNAVAILABLE
 */
export async function assertQueueKnown(transport: Transport, name: string): Promise<void> {
  assertQueueName(name)
  const names = await transport.queueNames()
  if (!names.includes(name)) throw new E_QUEUE_NOT_FOUND([name])
}

async function activeWorkers(transport: Transport): Promise<Pick<WorkerView, 'queues'>[]> {
  const workers = await transport.workers.seen()
  return workers.filter((worker) => worker.state === 'active' && !isSuspect(worker))
}

async function oldestPending(reader: QueueDependencies['reader'], names: string[]) {
  const found = new Map<string, { id: string; createdAt: number }>()
  try {
    for (const some of inParts(names, AT_ONCE)) {
      await Promise.all(
        some.map(async (name) => {
          const [oldest] = await oldestPendingJobs(reader, name, LOOKED_AT)
          if (oldest) found.set(name, { id: oldest.id, createdAt: oldest.createdAt })
        })
      )
    }
  } catch (error) {
    if ((error as { status?: number }).status !== 503) throw error
  }
  return found
}
