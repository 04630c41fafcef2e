import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { endChild, startChild } from './support/child.ts'
import { benchLab, type BenchLab } from './support/lab.ts'
import type { Bench } from './support/types.ts'

const PROCESSES = 4
const WORKERS = 100
/** Three reports of each worker, and a stretch of Redis alone in front. */
const SECONDS = 30
const SECONDS_ALONE = 10

/**
 * What a hundred workers cost that have nothing to do: their reports, and watching over leases, limits, queues and connections. They
 * share four processes, each with everything that a worker of its own has, connections too; so Redis sees a hundred, and what an empty
 * Node costs is not counted a hundred times.
 */
const bench: Bench = async ({ tell }) => {
  const lab = await benchLab()
  const alone = await over(lab, [], SECONDS_ALONE)
  const children = Array.from({ length: PROCESSES }, () =>
    startChild('idle_workers.ts', [lab.url, WORKERS / PROCESSES])
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  /** What starting costs is over. */
  await pause(5_000)
  tell(`${WORKERS} workers are idle`)
  const idle = await over(lab, children, SECONDS)
  const registered = await lab.plain.zcard(lab.transport.keys.workers)
  await Promise.all(children.map(endChild))
  await lab.close()
  if (registered !== WORKERS) throw new Error(`${registered} workers are registered`)
  const redis = idle.redis - alone.redis
  return {
    measures: [
      { name: '100 idle workers in Redis', value: redis, unit: '% of a core', ceiling: 1 },
      { name: '100 idle workers themselves', value: idle.workers, unit: '% of a core' },
      { name: 'one idle worker', value: (redis + idle.workers) / WORKERS, unit: '% of a core' },
      { name: 'Redis alone', value: alone.redis, unit: '% of a core' },
    ],
  }
}

/** CPU that is used over some time, % of a core. */
async function over(lab: BenchLab, children: ChildProcess[], seconds: number) {
  const before = await used(lab, children)
  const began = performance.now()
  await pause(seconds * 1_000)
  const after = await used(lab, children)
  const share = 100_000 / (performance.now() - began)
  return {
    redis: (after.redis - before.redis) * share,
    workers: (after.workers - before.workers) * share,
  }
}

/** CPU time used so far, seconds. */
async function used(lab: BenchLab, children: ChildProcess[]) {
  const info = await lab.plain.info('cpu')
  const of = (field: string) => Number(new RegExp(`${field}:([\\d.]+)`).exec(info)![1])
  const times = await Promise.all(
    children.map(async (child) => {
      const answer = once(child, 'message') as Promise<[number]>
      child.send('used')
      return (await answer)[0]
    })
  )
  return {
    redis: of('used_cpu_sys') + of('used_cpu_user'),
    workers: times.reduce((sum, time) => sum + time, 0) / 1e6,
  }
}

export default bench
