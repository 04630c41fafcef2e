import { benchLab, container, silent, type BenchLab } from './support/lab.ts'
import { interleaved, median, ratio } from './support/rounds.ts'
import type { Bench } from './support/types.ts'
import { Noop } from './support/working.ts'
import { uuidV7 } from '../src/jobs/uuid.ts'
import { FlowKeeper } from '../src/jobs/flow_keeper.ts'
import { writeEdge, type FlowEdge } from '../src/transport/flow_edges.ts'
import type { NewTransportJob } from '../src/transport/types.ts'
import { WorkerPool } from '../src/worker/worker_pool.ts'

const JOBS = 4_000
const QUEUE = 'bench'

function job(waits: string[] = []): NewTransportJob {
  const edges = waits.map((id): FlowEdge => ({ queue: QUEUE, id, onFailure: 'run' }))
  return {
    queue: QUEUE,
    id: uuidV7(),
    name: Noop.options.name,
    data: '{}',
    opts: {
      timestamp: Date.now(),
      ...(edges.length > 0 && { qd: { waitFor: edges.map(writeEdge) } }),
    },
    ...(edges.length > 0 && { waitFor: edges }),
  }
}

const plain = () => Array.from({ length: JOBS }, () => job())

/** A hundred chains of forty. */
function chains(): NewTransportJob[] {
  return Array.from({ length: JOBS / 40 }, () => {
    const chain = [job()]
    while (chain.length < 40) chain.push(job([chain.at(-1)!.id]))
    return chain
  }).flat()
}

/** Forty fans: one, then ninety-eight, then one that waits for all of these. */
function fans(): NewTransportJob[] {
  return Array.from({ length: JOBS / 100 }, () => {
    const root = job()
    const fan = Array.from({ length: 98 }, () => job([root.id]))
    return [root, ...fan, job(fan.map(({ id }) => id))]
  }).flat()
}

async function rate(lab: BenchLab, jobs: NewTransportJob[]): Promise<number> {
  await lab.plain.flushdb()
  await lab.transport.add(jobs)
  const keeper = new FlowKeeper({
    transport: lab.transport,
    awaited: { ends: async (places) => places.map(() => 'open' as const) },
    logger: silent,
  })
  keeper.start()
  const pool = new WorkerPool(
    { ...lab, container, logger: silent as never, version: 'bench' },
    { queues: [QUEUE], concurrency: 50 }
  )
  const start = performance.now()
  await pool.start()
  while ((await lab.plain.zcard(`{queuedeck}:${QUEUE}:completed`)) < jobs.length) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const seconds = (performance.now() - start) / 1_000
  pool.drain()
  await Promise.all([pool.ended, keeper.stop()])
  return jobs.length / seconds
}

/**
 * Jobs that wait for each other against jobs that do not: same worker, same code, which does nothing.
 */
const bench: Bench = async ({ rounds = 5, tell }) => {
  const lab = await benchLab([Noop])
  const values = await interleaved(
    {
      plain: () => rate(lab, plain()),
      chains: () => rate(lab, chains()),
      fans: () => rate(lab, fans()),
    },
    rounds,
    tell
  )
  await lab.close()
  return {
    measures: [
      { name: 'chains / plain jobs', value: ratio(values.chains, values.plain), floor: 0.6 },
      { name: 'fans / plain jobs', value: ratio(values.fans, values.plain), floor: 0.6 },
      { name: 'plain jobs', value: Math.round(median(values.plain)), unit: 'jobs/s' },
      { name: 'chains', value: Math.round(median(values.chains)), unit: 'jobs/s' },
      { name: 'fans', value: Math.round(median(values.fans)), unit: 'jobs/s' },
    ],
  }
}

export default bench
