import type { ResolvedConfig } from '../types.ts'
import { readMirrorStatus, behindOf, type MirrorStatus } from '../mirror/mirror_status.ts'
import type { RedisClient } from '../transport/client.ts'
import { usageReports } from '../transport/host_usage.ts'
import { plainWorkers } from '../transport/server_facts.ts'
import type { Transport } from '../transport/transport.ts'
import type { Depths } from '../transport/types.ts'
import type { SeenWorker } from '../transport/worker_registry.ts'
import { isSuspect } from '../transport/worker_times.ts'
import type { Reading, Readings } from './readings.ts'
import { serverInfo } from './server_info.ts'
import { named, size, span } from './words.ts'

/**
 * What one look at Redis saw, for rules and for what they ask the records.
 */
export type RedisView = {
  now: number
  depths: Record<string, Depths>
  workers: SeenWorker[]
  mirror: MirrorStatus | null
}

/**
 * Looks at Redis.
 *
 * @throws whatever the client throws
 */
export async function lookAtRedis(
  transport: Transport,
  client: RedisClient,
  config: Pick<ResolvedConfig, 'queues'>,
  now: number
): Promise<RedisView> {
  const names = [...new Set([...(await transport.queueNames(client)), ...config.queues])]
  const [depths, workers, mirror] = await Promise.all([
    transport.depths(names, client),
    transport.workers.seen(client),
    readMirrorStatus(transport, client),
  ])
  return { now, depths, workers, mirror }
}

/**
 * What Redis alone tells.
 */
export async function redisReadings(
  view: RedisView,
  transport: Transport,
  client: RedisClient
): Promise<Readings> {
  const live = view.workers.filter((worker) => !isSuspect(worker))
  const telling = usageReports(view.workers)
  const limited = telling.filter(({ memory }) => memory.limit > 0)
  const [{ memory, limit, policy }, unserved] = await Promise.all([
    serverInfo(client, transport.keys.queues),
    unservedQueues(view.depths, live, transport),
  ])
  const share = limit > 0 ? (memory / limit) * 100 : 0
  return new Map([
    ['noWorker', unserved],
    ['cpu', usage(view.now, telling, cpuOf)],
    ['memory', usage(view.now, limited, memoryOf)],
    ['staleWorker', view.workers.map(silence)],
    [
      'redisMemory',
      [
        {
          subject: 'redis',
          value: share,
          text: `Redis uses ${Math.floor(share)} % of the memory it may: ${size(memory)} of ${size(limit)}`,
        },
      ],
    ],
    [
      'redisEviction',
      [
        {
          subject: 'redis',
          value: policy === 'noeviction' ? 0 : 1,
          text: `Redis has the eviction policy ${named(policy)}`,
        },
      ],
    ],
  ])
}

/**
 * How far the records are behind, as the mirror tells; while none runs, as the positions in the records tell.
 *
 * @param positions  Id of the last entry that the records of a queue contain; asked for only while no mirror tells
 */
export async function mirrorReading(
  { mirror, depths, now }: RedisView,
  transport: Transport,
  client: RedisClient,
  positions: () => Promise<Map<string, string>>
): Promise<Reading[]> {
  let behind: [string, number][]
  if (mirror) {
    behind = Object.entries(mirror.queues).map(([queue, status]) => [queue, status.behind])
  } else {
    const known = await positions()
    const asked = Object.keys(depths).map((queue) => ({
      queue,
      key: transport.keys.events(queue),
      lastId: known.get(queue) ?? '0-0',
    }))
    const found = await behindOf(client, asked, now)
    behind = asked.map(({ queue }, index) => [queue, found[index]])
  }
  const [queue, value] = behind.reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0])
  const runs = mirror ? '' : '; no mirror runs'
  return [
    {
      subject: 'mirror',
      value,
      text: `The history of ${named(queue)} is ${span(value)} behind${runs}`,
    },
  ]
}

/** Workers of other programs are looked for only where jobs wait and none of ours takes them. */
async function unservedQueues(
  depths: Record<string, Depths>,
  live: SeenWorker[],
  transport: Transport
): Promise<Reading[]> {
  const served = new Set(
    live.filter(({ state }) => state === 'active').flatMap(({ queues }) => queues)
  )
  const waits = ([queue, { pending, paused }]: [string, Depths]) =>
    pending > 0 && !paused && !served.has(queue)
  const lacking = Object.entries(depths).filter(waits)
  const others = await plainWorkers(
    transport,
    lacking.map(([queue]) => queue)
  )
  return Object.entries(depths).map(([queue, depth]) => ({
    subject: queue,
    value: waits([queue, depth]) && !others?.get(queue) ? depth.pending : 0,
    text: `${depth.pending} ${depth.pending === 1 ? 'job waits' : 'jobs wait'} in queue ${named(queue)}, and no worker serves it`,
  }))
}

function silence({ id, host, pid, age }: SeenWorker): Reading {
  return {
    subject: id,
    value: age,
    text: `The worker with process id ${pid} on host ${named(host)} has not reported for ${span(age)}`,
  }
}

/** One reading a host. It is a further sample once all its workers have reported again: one that was killed meanwhile never does. */
function usage(
  now: number,
  telling: SeenWorker[],
  of: (host: string, workers: SeenWorker[]) => { value: number; text: string }
): Reading[] {
  const hosts = new Map<string, SeenWorker[]>()
  for (const worker of telling) {
    hosts.set(worker.host, [...(hosts.get(worker.host) ?? []), worker])
  }
  return [...hosts].map(([host, workers]) => ({
    subject: host,
    sample: now - Math.max(...workers.map(({ age }) => age)),
    ...of(host, workers),
  }))
}

function cpuOf(host: string, workers: SeenWorker[]) {
  const { cores } = workers[0]
  const used = workers.reduce((sum, { cpu }) => sum + cpu, 0)
  const value = (used / cores) * 100
  const text = `Workers on host ${named(host)} use ${Math.floor(value)} % of its ${cores} ${cores === 1 ? 'core' : 'cores'}`
  return { value, text }
}

function memoryOf(host: string, workers: SeenWorker[]) {
  const limit = Math.max(...workers.map(({ memory }) => memory.limit))
  const used = workers.reduce((sum, { memory }) => sum + memory.used, 0)
  const value = (used / limit) * 100
  const text = `Workers on host ${named(host)} use ${Math.floor(value)} % of its memory: ${size(used)} of ${size(limit)}`
  return { value, text }
}
