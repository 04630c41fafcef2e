/*
 * A worker with a keeper of flows, in a process that tests may kill: `flow_process.ts REDIS_URL PREFIX`. What ran is in the list
 * `PREFIX~ran`.
 */
import 'reflect-metadata'
import { setTimeout as pause } from 'node:timers/promises'
import { FlowKeeper } from '../../../src/jobs/flow_keeper.ts'
import { Job } from '../../../src/jobs/job.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'

const [url, prefix] = process.argv.slice(2)

class Node extends Job<{ n: number; ms: number; fail: boolean }, number> {
  static options = { name: 'node' }
  async execute() {
    const { n, ms, fail } = this.payload
    await lab.redis.rpush(`${prefix}~ran`, `start ${n}`)
    await pause(ms)
    await lab.redis.rpush(`${prefix}~ran`, `end ${n}`)
    if (fail) throw new Error('as told')
    return n
  }
}

const lab: WorkerLab = new WorkerLab(
  url,
  [Node],
  { lease: '1s', maxLosses: 1_000 },
  prefix,
  {},
  {
    global: 12,
  }
)
const keeper = new FlowKeeper({
  transport: lab.transport,
  awaited: { ends: async (places) => places.map(() => 'open' as const) },
  logger: { debug() {} },
  lease: 500,
  look: 50,
})
keeper.start()
await lab.start({ queues: ['g1', 'g2', 'g3'], concurrency: 8 })
console.log('ready')
