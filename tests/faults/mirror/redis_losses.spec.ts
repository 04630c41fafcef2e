import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { compareIds } from '../../../src/mirror/entries.ts'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { falseClaims } from './claims.ts'
import { QUEUES, Workload, type LoggedJob } from './workload.ts'

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

eachDatabase(({ label, create }) => {
  test.group(`Mirror and a Redis that loses | ${label}`, () => {
    test('leaves no record that claims what is not so after Redis was restarted, emptied, and its streams cut', async ({
      assert,
    }) => {
      const redis = await redisServer({ own: true, appendOnly: true })
      const { connection } = await create()
      await migrate(connection)
      const records = openRecords(connection)
      const lab = new Lab(redis.url)
      try {
        const workload = new Workload(lab)
        workload.isForgiving = true
        lab.mirror(records, { janitor: { every: 200 } })
        workload.work(5)
        const load = async (jobs: number) => {
          for (let made = 0; made < jobs; made += 20) {
            if (made > 0) await pause(20)
            await workload.dispatch(20)
          }
        }
        const isIdle = async () => {
          const depths = Object.values(await lab.transport.depths(QUEUES, lab.redis))
          return depths.every(
            ({ pending, running, scheduled }) => pending + running + scheduled === 0
          )
        }
        const settled = async () => {
          await waitFor(
            'the workers to have nothing to do',
            async () => (await isIdle()) && !(await workload.isRestarting()) && (await isIdle()),
            { within: 60_000 }
          )
          await lab.written(records, QUEUES, 60_000)
          return falseClaims(lab, records, workload.log.values())
        }
        const ids = (jobs: LoggedJob[]) => jobs.map(({ job }) => job.id)

        await load(100)
        await redis.kill()
        await redis.start()
        await load(60)
        assert.deepEqual(await settled(), { found: [], lost: [], unheard: [] })

        const cutting = load(200)
        for (let cut = 0; cut < 10; cut++) {
          await pause(20 + Math.random() * 40)
          for (const queue of QUEUES)
            await lab.redis.xtrim(lab.transport.keys.events(queue), 'MAXLEN', 0)
        }
        await cutting
        const afterCuts = await settled()
        assert.deepEqual(afterCuts.found, [])
        assert.deepEqual(ids(afterCuts.unheard), [])
        /** Whose removal alone was told by an entry that was cut: nothing in Redis says how it ended. */
        assert.isTrue(afterCuts.lost.every(({ kind }) => kind === 'removed'))

        const before = new Set(workload.log.keys())
        await load(100)
        const endangered = new Set([...workload.log.keys()].filter((id) => !before.has(id)))
        const opened = await openedRuns(lab)
        await redis.kill()
        const cursors = await records.writer.cursors(QUEUES)
        for (const name of ['appendonlydir', 'appendonly.aof'])
          await rm(join(redis.directory, name), { recursive: true, force: true })
        await redis.start()
        await load(60)
        const { found, lost, unheard } = await settled()
        assert.deepEqual(found, [])
        const isEarlier = (id: string) => !endangered.has(id)
        assert.sameMembers(ids(lost).filter(isEarlier), ids(afterCuts.lost))
        assert.deepEqual(ids(unheard).filter(isEarlier), [])
        /** What the records had taken in before the loss they still know. */
        const wasHeard = ({ job: { id, queue } }: LoggedJob) =>
          opened.has(id) && compareIds(opened.get(id)!, cursors.get(queue)!.lastId) <= 0
        assert.deepEqual(ids(unheard.filter(wasHeard)), [])
      } finally {
        await lab.close()
        await records.close()
        await redis.stop()
      }
    }).timeout(180_000)
  })
})

/**
 * The entries that opened second runs, by job.
 */
async function openedRuns(lab: Lab): Promise<Map<string, string>> {
  const opened = new Map<string, string>()
  const added = new Set<string>()
  for (const queue of QUEUES) {
    for (const [id, list] of await lab.redis.xrange(lab.transport.keys.events(queue), '-', '+')) {
      const event = list[list.indexOf('event') + 1]
      const job = list[list.indexOf('jobId') + 1]
      if (event === 'restarted' || (event === 'added' && added.has(job))) opened.set(job, id)
      if (event === 'added') added.add(job)
    }
  }
  return opened
}
