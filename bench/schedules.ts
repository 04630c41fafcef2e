import { Job } from '../src/jobs/job.ts'
import { uuidV7 } from '../src/jobs/uuid.ts'
import { ScheduleService } from '../src/schedules/schedule_service.ts'
import type { JobOptions } from '../src/types.ts'
import { WorkerPool } from '../src/worker/worker_pool.ts'
import { createDatabase } from '../tests/helpers/databases.ts'
import { migrate, openRecords } from '../tests/functional/mirror/records.ts'
import { benchLab, container, silent } from './support/lab.ts'
import type { Bench } from './support/types.ts'

const SCHEDULES = 10_000

/** Everything is planned once, and then each schedule runs. */
const SECONDS = 75

let latest = 0
let started = 0

class Tick extends Job<{ second: number }, void> {
  static options: JobOptions = { name: 'bench.tick' }
  execute() {
    const now = Date.now()
    const due = Math.floor((now - this.payload.second * 1_000) / 60_000) * 60_000
    latest = Math.max(latest, now - due - this.payload.second * 1_000)
    started++
  }
}

/**
 * How late the runs of ten thousand schedules start that are due once a minute, spread over its seconds: planning, Redis, worker and
 * SQLite share this machine.
 */
const bench: Bench = async ({ tell }) => {
  const lab = await benchLab([Tick])
  const { connection, drop } = await createDatabase('sqlite')
  await migrate(connection)
  const records = openRecords(connection)
  await records.ready()
  const { schedules } = records
  for (let n = 0; n < SCHEDULES; n++) {
    await schedules.insert({
      ...{ id: uuidV7(), name: `schedule ${String(n).padStart(5, '0')}`, type: 'bench.tick' },
      ...{ payload: JSON.stringify({ second: n % 60 }), queue: 'bench', options: {} },
      ...{ cron: `${n % 60} * * * * *`, zone: 'UTC', every: null },
      ...{ overlap: 'skip', missed: 'skip', origin: 'page', createdAt: Date.now() },
      createdBy: 'bench',
    })
  }
  tell(`${SCHEDULES} schedules are written`)
  const pool = new WorkerPool(
    {
      ...{ config: lab.config, transport: lab.transport, registry: lab.registry, container },
      ...{ logger: silent as never, version: '1' },
    },
    { concurrency: 100, queues: ['bench'] }
  )
  await pool.start()
  const service = new ScheduleService({
    ...{ transport: lab.transport, records, queue: lab.manager, logger: silent },
  })
  const before = performance.now()
  service.start()
  while ((await schedules.due(0, 1)).length > 0) await pause(100)
  const planned = performance.now() - before
  tell(`planned after ${Math.round(planned)} ms`)
  /** What became due meanwhile has to start first: all of it shares this process. */
  await pause(15_000)
  latest = 0
  started = 0
  await pause(SECONDS * 1_000)
  const seen = { latest, started }
  await service.stop()
  pool.abort()
  await pool.ended
  await records.close()
  await lab.close()
  await drop()
  return {
    measures: [
      { name: 'latest start', value: seen.latest, unit: 'ms', ceiling: 1_000 },
      { name: 'runs started', value: seen.started, floor: SCHEDULES },
      { name: 'first planning', value: planned, unit: 'ms' },
    ],
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

export default bench
