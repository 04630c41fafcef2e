import { Queue, Worker } from 'bullmq'
import { Job } from '../../src/jobs/job.ts'
import type { JobClass } from '../../src/jobs/job.ts'
import type { QueuedeckConfig } from '../../src/types.ts'
import { uuidV7 } from '../../src/jobs/uuid.ts'
import { WorkerPool } from '../../src/worker/worker_pool.ts'
import { benchLab, container, silent, type BenchLab } from './lab.ts'
import { interleaved, median, ratio } from './rounds.ts'
import type { BenchOptions, BenchResult } from './types.ts'

export class Noop extends Job<object, void> {
  static options = { name: 'bench.noop', queue: 'bench' }
  execute() {}
}

export class Wait5 extends Job<object, void> {
  static options = { name: 'bench.wait', queue: 'bench' }
  async execute() {
    await wait5()
  }
}

export function wait5(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

const QUEUE = 'bench'
const CONCURRENCY = 50

/**
 * Fills a queue and works it off, our worker against BullMQ's: same Redis, same concurrency, same code, no mirror.
 */
export async function compareWorkers(
  { rounds = 7, tell }: BenchOptions,
  { name, Class, code, jobs, floor, limits, users = 0 }: WorkerComparison
): Promise<BenchResult> {
  const lab = await benchLab([Class], limits)
  const type = Class.options!.name!
  const values = await interleaved(
    {
      ours: () => ourRate(lab, type, jobs, users),
      plain: () => plainRate(lab, type, code, jobs),
    },
    rounds,
    tell
  )
  await lab.close()
  return {
    measures: [
      { name: `${name} / BullMQ's worker`, value: ratio(values.ours, values.plain), floor },
      { name: 'our worker', value: Math.round(median(values.ours)), unit: 'jobs/s' },
      { name: "BullMQ's worker", value: Math.round(median(values.plain)), unit: 'jobs/s' },
    ],
  }
}

type WorkerComparison = {
  name: string
  Class: JobClass
  code: () => Promise<void>
  jobs: number
  floor?: number
  /** Ours works with these; BullMQ knows none. */
  limits?: QueuedeckConfig['limits']
  /** Users among whom the jobs are dealt; 0 for jobs of nobody. */
  users?: number
}

async function ourRate(lab: BenchLab, type: string, jobs: number, users: number): Promise<number> {
  await lab.plain.flushdb()
  const timestamp = Date.now()
  await lab.transport.add(
    Array.from({ length: jobs }, (_, at) => ({
      queue: QUEUE,
      id: uuidV7(),
      name: type,
      data: '{}',
      opts: { timestamp, ...(users === 0 ? undefined : { qd: { user: `user-${at % users}` } }) },
    }))
  )
  const pool = new WorkerPool(
    { ...lab, container, logger: silent as never, version: 'bench' },
    { queues: [QUEUE], concurrency: CONCURRENCY }
  )
  const start = performance.now()
  await pool.start()
  await untilCompleted(lab, `{queuedeck}:${QUEUE}:completed`, jobs)
  const seconds = (performance.now() - start) / 1_000
  pool.drain()
  await pool.ended
  return jobs / seconds
}

async function plainRate(
  lab: BenchLab,
  type: string,
  code: () => Promise<void>,
  jobs: number
): Promise<number> {
  await lab.plain.flushdb()
  const queue = new Queue(QUEUE, { connection: lab.plain as never, prefix: '{plain}' })
  for (let from = 0; from < jobs; from += 1_000) {
    const size = Math.min(1_000, jobs - from)
    await queue.addBulk(Array.from({ length: size }, () => ({ name: type, data: {} })))
  }
  const worker = new Worker(QUEUE, code, {
    connection: lab.plain as never,
    prefix: '{plain}',
    concurrency: CONCURRENCY,
    autorun: false,
  })
  await worker.waitUntilReady()
  const start = performance.now()
  void worker.run()
  await untilCompleted(lab, `{plain}:${QUEUE}:completed`, jobs)
  const seconds = (performance.now() - start) / 1_000
  await worker.close()
  await queue.close()
  return jobs / seconds
}

/** Looked at every few milliseconds: both sides bear the same small cost. */
async function untilCompleted(lab: BenchLab, key: string, jobs: number): Promise<void> {
  while ((await lab.plain.zcard(key)) < jobs) {
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
}
