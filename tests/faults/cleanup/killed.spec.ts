import { equal } from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import type { CleanupRun } from '../../../src/cleanup/cleanup.ts'
import { openSession } from '../../../src/records/records.ts'
import { writeSkewedJobs } from '../../../bench/support/skewed_jobs.ts'
import { CleanupLab, DAY } from '../../functional/cleanup/lab.ts'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { countsAndTruth, lucidOn } from '../../functional/records/lab.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import type { CleanupProcessSettings } from './cleanup_process.ts'

const SCRIPT = fileURLToPath(new URL('./cleanup_process.ts', import.meta.url))
/** More than the cleanup takes up at once; by hand also with `QUEUEDECK_CLEANUP_JOBS=20000`. */
const JOBS = Number(process.env.QUEUEDECK_CLEANUP_JOBS ?? 3_500)

/** A process that waits for its settings. */
function startProcess(): ChildProcess {
  return fork(SCRIPT, {
    execArgv: ['--import=./bin/typescript.js'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

/** The run that the process made; null when it was killed. */
async function runIn(
  child: ChildProcess,
  settings: CleanupProcessSettings
): Promise<CleanupRun | null> {
  let run: CleanupRun | null = null
  child.on('message', (message) => (run = message as CleanupRun))
  child.send(settings)
  const [, signal] = await once(child, 'exit')
  equal(signal, run ? null : 'SIGKILL')
  return run
}

eachDatabase(({ label, create }) => {
  test.group(`Cleanup killed | ${label}`, () => {
    test(`counts stay exact, and the next run finishes what the last began`, async ({ assert }) => {
      /** Starting takes them longer than their work: they start while there is nothing to do yet. */
      const processes = [1, 2, 3, 4].map(startProcess)
      const { url } = await redisServer()
      const { connection } = await create()
      await migrate(connection)
      const session = await openSession(lucidOn(connection))
      await writeSkewedJobs(session, { jobs: JOBS, details: true })
      await session.close()
      const lab = new Lab(url)
      const records = openRecords(connection)
      const cleaning = new CleanupLab(lab, records)
      try {
        const settings = {
          redis: url,
          prefix: lab.transport.keys.prefix,
          connection,
          ahead: 200 * DAY,
        }
        const before = await records.reader.counts()
        const kills = [
          { transaction: 1, at: 'before' },
          { transaction: 2, at: 'after' },
          { transaction: 4, at: 'before' },
        ] as const
        for (const kill of kills) {
          assert.isNull(await runIn(processes.shift()!, { ...settings, kill }))
          const { kept, truth, staleTags } = await countsAndTruth(records)
          assert.deepEqual(kept, truth)
          assert.equal(staleTags, 0)
          const { jobs, bodies } = await cleaning.rows()
          assert.equal(jobs, bodies)
          /** The lease and the claims of a killed run end by themselves. */
          const { keys } = lab.transport
          assert.isAbove(await lab.redis.pttl(keys.lease('cleanup-run')), 0)
          await lab.redis.del(keys.lease('cleanup-run'))
        }
        const last = await runIn(processes.shift()!, settings)
        assert.isNull(last!.error)
        const after = await records.reader.counts()
        assert.containSubset(after, { completed: 0, failed: 0, cancelled: 0 })
        for (const status of ['pending', 'running', 'scheduled', 'blocked'] as const) {
          assert.equal(after[status], before[status])
        }
        const runs = await cleaning.cleanup().runs({ limit: 10 })
        assert.lengthOf(runs, 4)
        const sum = (kind: 'completedRecords' | 'failedRecords' | 'cancelledRecords') =>
          runs.reduce((total, { counts }) => total + counts[kind], 0)
        assert.equal(sum('completedRecords'), before.completed)
        assert.equal(sum('failedRecords'), before.failed)
        assert.equal(sum('cancelledRecords'), before.cancelled)
        for (const run of runs.slice(1)) assert.match(run.error!, /ended in the middle/)
      } finally {
        processes.forEach((one) => one.kill('SIGKILL'))
        await records.close()
        await lab.close()
      }
    })
  })
})
