import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Cleanup } from '../../../src/cleanup/cleanup.ts'
import { RestartJob } from '../../../src/operations/restart_job.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { add, countsAndTruth, newKey } from '../records/lab.ts'
import { CleanupLab, DAY } from './lab.ts'

const JOBS = 48
const TYPE = 'race.restarted'

/** When a restart that has read its record goes on. */
const MOMENTS = ['before the cleanup', 'meanwhile', 'when records are claimed', 'after it'] as const

eachDatabase(({ label, create }) => {
  test.group(`Restarts and a cleanup at once | ${label}`, () => {
    test('leave each job either back with its record, or gone with it', async ({
      assert,
      cleanup,
    }) => {
      const { connection } = await create()
      await migrate(connection)
      const lab = new Lab((await redisServer()).url)
      const records = openRecords(connection)
      cleanup(async () => {
        await lab.close()
        await records.close()
      })
      const cleaning = new CleanupLab(lab, records)
      const keys = Array.from({ length: JOBS }, () => newKey('race'))
      const endedAt = Date.now() - 91 * DAY
      await cleaning.write(keys, (job, out) => {
        add(job, { status: 'failed', type: TYPE, createdAt: endedAt - 1_000 })
        job.finishedAt = endedAt
        out.bodies.push({ job, payload: '{"of":"the record"}', options: '{}' })
      })
      await lab.transport.registerQueues(['race'])
      lab.mirror(records)
      await lab.mirrored()

      let isClean = false
      const { transport } = lab
      const moments: Record<(typeof MOMENTS)[number], () => Promise<unknown>> = {
        'before the cleanup': async () => {},
        'meanwhile': async () => {
          await begun
          await pause(Math.random() * 30)
        },
        'when records are claimed': () =>
          waitFor(
            'a claim',
            async () => isClean || (await lab.redis.exists(transport.keys.erasing)) === 1,
            { every: 1 }
          ),
        'after it': () => waitFor('the end of the cleanup', () => isClean),
      }
      let reads = 0
      let begin = () => {}
      const begun = new Promise<void>((resolve) => (begin = resolve))
      const { reader } = records
      const restart = async ({ id }: { id: string }, n: number) => {
        const operation = new RestartJob({
          transport,
          reader: {
            edges: reader.edges,
            rowsById: (ids) => reader.rowsById(ids),
            cursor: (queue) => reader.cursor(queue),
            find: async (wanted) => {
              const found = await reader.find(wanted)
              reads++
              await moments[MOMENTS[n % MOMENTS.length]]()
              return found
            },
          },
        })
        return (await operation.handle(id, { id: 'me', via: 'code' })).outcome
      }
      const restarts = Promise.all(keys.map(restart))
      await waitFor('all records to be read', () => reads === JOBS)
      begin()
      const { counts, error } = await new Cleanup({
        ...cleaning.dependencies(),
        patience: 30_000,
      }).run({ trigger: 'command', actor: 'a test' })
      isClean = true
      assert.isNull(error)
      const outcomes = await restarts
      await lab.mirrored()

      const back = outcomes.filter((outcome) => outcome === 'done').length
      assert.isAtLeast(back, 1)
      assert.isAtLeast(counts.failedRecords, 1)
      assert.equal(back + counts.failedRecords, JOBS)
      for (const [n, { id }] of keys.entries()) {
        const about = `${MOMENTS[n % MOMENTS.length]}: ${outcomes[n]}`
        const record = await reader.find(id)
        const state = await transport.state('race', id)
        if (outcomes[n] !== 'done') {
          assert.deepEqual([record, state, outcomes[n]], [null, 'missing', 'too_late'], about)
          continue
        }
        const { type, run, status, payload } = record!
        assert.deepEqual([type, run, status, state], [TYPE, 2, 'pending', 'waiting'], about)
        assert.equal(payload, '{"of":"the record"}', about)
      }
      const { kept, truth } = await countsAndTruth(records)
      assert.deepEqual(kept, truth)
    })
  })
})
