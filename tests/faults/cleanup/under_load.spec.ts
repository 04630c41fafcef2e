import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Cleanup } from '../../../src/cleanup/cleanup.ts'
import { RestartJob } from '../../../src/operations/restart_job.ts'
import { CleanupLab } from '../../functional/cleanup/lab.ts'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { countsAndTruth } from '../../functional/records/lab.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'

/** By hand also with `QUEUEDECK_CLEANUP_JOBS=20000`. */
const JOBS = Number(process.env.QUEUEDECK_CLEANUP_JOBS ?? 700)

/** The shortest clocks that the configuration takes; the cleanup's own clock is ahead by as much, so that every end is old at once. */
const MINUTE = 60_000

eachDatabase(({ label, create }) => {
  test.group(`Cleanup under load | ${label}`, () => {
    test(`nothing alive is touched, and counts equal what disappeared`, async ({ assert }) => {
      const { url } = await redisServer()
      const { connection } = await create()
      await migrate(connection)
      const lab = new Lab(url)
      const records = openRecords(connection)
      const second = openRecords(connection)
      const cleaning = new CleanupLab(lab, records)
      cleaning.ahead = MINUTE
      try {
        /** Both mirrors at once, and two cleanups that start whenever they may. */
        const kept = { completed: 0, cancelled: 0, failed: 0, results: 0 }
        const options = { config: { queues: [], kept }, janitor: { every: 50 } }
        lab.mirror(records, options)
        lab.mirror(second, options)
        const dependencies = cleaning.dependencies({
          kept: {
            completed: 0,
            cancelled: 0,
            results: 0,
            details: '1m',
            records: { completed: '1m', failed: '1m', cancelled: '1m' },
          },
        })
        const deleted = { completed: 0, failed: 0, cancelled: 0 }
        const errors: string[] = []
        let isOver = false
        const clean = async () => {
          const cleanup = new Cleanup({ ...dependencies, patience: 5_000 })
          while (!isOver) {
            try {
              const run = await cleanup.run({ trigger: 'schedule', actor: 'a test' })
              deleted.completed += run.counts.completedRecords
              deleted.failed += run.counts.failedRecords
              deleted.cancelled += run.counts.cancelledRecords
            } catch (error) {
              if ((error as { code?: string }).code !== 'E_CLEANUP_RUNNING') {
                errors.push(String(error))
              }
            }
            await pause(5)
          }
        }
        const cleaners = [clean(), clean()]

        /** Independent witness: which runs began and ended, told from inside of the jobs. */
        const begun = new Map<string, number>()
        const ended = new Map<string, number>()
        const count = (map: Map<string, number>, id: string) => map.set(id, (map.get(id) ?? 0) + 1)
        for (const queue of ['a', 'b', 'c']) {
          lab.worker(
            queue,
            async ({ job, log }) => {
              count(begun, job.id!)
              await log('works')
              count(ended, job.id!)
              if (job.data.fail) throw new Error('no')
            },
            { concurrency: 5 }
          )
        }
        const restart = new RestartJob({ reader: records.reader, transport: lab.transport })
        const ids: string[] = []
        const alive: string[] = []
        let restarted = 0
        let tooLate = 0
        for (let n = 0; n < JOBS; n++) {
          const queue = 'abc'[n % 3]
          const data = JSON.stringify({ fail: n % 4 === 0 })
          const rest = { qd: { user: String(n % 7), tags: ['t'] } }
          ids.push(await lab.add(queue, rest, { data }))
          if (n % 50 === 0) alive.push(await lab.add(queue, { delay: 3_600_000, ...rest }))
          /** Restarts race with the deletion of the very same records. */
          if (n % 12 === 0 && n > 100) {
            const old = ids[n - 24]
            const answer = await restart
              .handle(old, { id: 'me', via: 'code' })
              .catch((error) => ({ outcome: error.code as string }))
            if (answer.outcome === 'done') restarted++
            else tooLate++
          }
        }
        await waitFor(
          'every run to end',
          () => {
            const ends = [...ended.values()].reduce((sum, n) => sum + n, 0)
            return ends === JOBS + restarted
          },
          { within: 60_000 }
        )
        await waitFor(
          'everything that ended to be deleted',
          async () => {
            const { scheduled, ...counts } = await records.reader.counts()
            return (
              scheduled === alive.length && Object.values(counts).reduce((sum, n) => sum + n) === 0
            )
          },
          { within: 60_000, every: 100 }
        )
        isOver = true
        await Promise.all(cleaners)
        assert.deepEqual(errors, [])
        assert.isAbove(restarted + tooLate, 0)
        for (const id of ids) assert.equal(begun.get(id), ended.get(id), id)
        for (const id of alive) {
          const record = await records.reader.find(id)
          assert.containSubset(record, { status: 'scheduled', tags: ['t'] })
          assert.isNotNull(record!.payload)
        }
        const { kept: stored, truth, staleTags } = await countsAndTruth(records)
        assert.deepEqual(stored, truth)
        assert.equal(staleTags, 0)
        const rows = await cleaning.rows()
        assert.containSubset(rows, {
          jobs: alive.length,
          bodies: alive.length,
          logs: 0,
          attempts: 0,
        })
        /** A job that was restarted while its record was there is one record; nothing was counted twice. */
        const sum = deleted.completed + deleted.failed + deleted.cancelled
        assert.equal(sum, JOBS, `${restarted} restarted, ${tooLate} too late`)
      } finally {
        await lab.close()
        await Promise.all([records.close(), second.close()])
      }
    })
  })
})
