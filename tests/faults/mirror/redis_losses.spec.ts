import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { falseClaims } from './claims.ts'
import { QUEUES, Workload } from './workload.ts'

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
            await workload.dispatch(20)
            await pause(20)
          }
        }
        const settled = async () => {
          await waitFor(
            'the workers to have nothing to do',
            async () => {
              const depths = Object.values(await lab.transport.depths(QUEUES, lab.redis))
              return depths.every(
                ({ pending, running, scheduled }) => pending + running + scheduled === 0
              )
            },
            { within: 60_000 }
          )
          await lab.mirrored(60_000)
          return falseClaims(lab, records, workload.log.values())
        }

        await load(200)
        await redis.kill()
        await pause(500)
        await redis.start()
        await load(100)
        assert.deepEqual(await settled(), { found: [], lost: [] })

        const cutting = load(300)
        for (let cut = 0; cut < 10; cut++) {
          await pause(20 + Math.random() * 40)
          for (const queue of QUEUES)
            await lab.redis.xtrim(lab.transport.keys.events(queue), 'MAXLEN', 0)
        }
        await cutting
        const afterCuts = await settled()
        assert.deepEqual(afterCuts.found, [])
        /** Whose removal alone was told by an entry that was cut: nothing in Redis says how it ended. */
        assert.isTrue(afterCuts.lost.every((lostKind) => lostKind === 'removed'))

        await load(100)
        await redis.kill()
        await rm(join(redis.directory, 'appendonlydir'), { recursive: true, force: true })
        await redis.start()
        await pause(1_000)
        await load(100)
        const { found } = await settled()
        assert.deepEqual(found, [])
      } finally {
        await lab.close()
        await records.close()
        await redis.stop()
      }
    }).timeout(180_000)
  })
})
