/*
 * A process that writes one job after the other into records, as a mirror does, and tells how long each took:
 * `node --import=./bin/typescript.js steady_writer.ts <connection as JSON>`. It says `ready`, and answers `stop` with its times in ms.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { FoldResult } from '../../src/records/writer_types.ts'
import { openRecords } from '../../tests/functional/mirror/records.ts'

const EVERY = 20

const records = openRecords(JSON.parse(process.argv[2]))
const times: number[] = []
let isStopped = false

process.on('message', () => (isStopped = true))
process.on('disconnect', () => process.exit(0))
await write()
times.length = 0
process.send!('ready')
while (!isStopped) {
  await pause(EVERY)
  await write()
}
await records.close()
process.send!(times, () => process.exit(0))

async function write(): Promise<void> {
  const id = randomUUID()
  const begun = performance.now()
  await records.writer.apply(
    { cursors: [], jobs: [{ queue: 'steady', transportId: id, id }] },
    (jobs) => {
      const createdAt = Date.now()
      Object.assign(jobs[0], { type: 'steady', status: 'pending', createdAt, version: 1n })
      const none = { bodies: [], attempts: [], events: [], logs: [], tags: [], runs: [] }
      return [{ jobs, ...none } satisfies FoldResult]
    }
  )
  times.push(performance.now() - begun)
}
