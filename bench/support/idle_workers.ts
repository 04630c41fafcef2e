/*
 * Workers without jobs in one process: `idle_workers.ts REDIS_URL COUNT`. Sends `ready` when all of them work, and answers every message
 * with the CPU time that the process has used, in microseconds.
 */
import 'reflect-metadata'
import { WorkerPool } from '../../src/worker/worker_pool.ts'
import { container, labAt, silent } from './lab.ts'
import { Noop } from './working.ts'

const [url, count] = process.argv.slice(2)
for (let at = 0; at < Number(count); at++) {
  const lab = labAt(url, [Noop], { global: 10, user: 3 })
  const pool = new WorkerPool(
    { ...lab, container, logger: silent as never, version: 'bench' },
    { queues: ['bench'], concurrency: 5 }
  )
  await pool.start()
}
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!(user + system)
})
process.on('disconnect', () => process.exit(0))
process.send!('ready')
