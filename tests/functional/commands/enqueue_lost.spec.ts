import { test } from '@japa/runner'
import { defineConfig } from '../../../src/config.ts'
import { applicationEnv, runAce } from '#tests/helpers/app'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { migrate } from '../mirror/records.ts'
import { answerOf, CommandLab } from './lab.ts'

const NOTHING = 'Redis knows every job that has not ended: nothing was lost'

eachDatabase(({ kind, label, create }) => {
  test.group(`Commands | queue:doctor --enqueue-lost | ${label}`, () => {
    test('shows what it would do, does nothing unasked, and does it once', async ({
      assert,
      cleanup,
    }) => {
      const database = await create()
      await migrate(database.connection)
      /** Once as a process of the application in this repository, with its own prefix. */
      const isProcess = kind === 'sqlite'
      const redis = isProcess ? await redisServer({ own: true }) : await redisServer()
      cleanup(() => redis.stop())
      const lab = await CommandLab.open({
        database,
        redis,
        ...(isProcess ? { prefix: defineConfig({}).prefix } : {}),
      })
      cleanup(() => lab.close())
      const { container } = lab.app
      ;(await container.make('queuedeck.mirror')).start()
      const { reader } = await container.make('queuedeck.records')
      const { keys, connections } = await container.make('queuedeck.transport')
      const queue = await container.make('queuedeck')
      const secret = { ms: 1, password: 'p-111' }
      const waiting = await queue.dispatch('demo.sleep', secret, { queue: 'demo' })
      const later = await queue.dispatch('demo.sleep', { ms: 1 }, { queue: 'demo', delay: '2d' })
      const other = await queue.dispatch('demo.sleep', { ms: 1 }, { queue: 'default' })
      const ids = [waiting, later, other].map(({ jobId }) => jobId)
      await waitFor('their records', async () => (await reader.rowsById(ids)).length === 3)

      const sound = await lab.run('queue:doctor', '--enqueue-lost')
      assert.deepEqual([sound.code, sound.stdout], [0, `${NOTHING}\n`], sound.output)
      await connections.producer.del(...(await connections.producer.keys(`${keys.prefix}*`)))

      const dry = await lab.run('queue:doctor', '--enqueue-lost', '--dry-run')
      assert.equal(dry.code, 0, dry.output)
      assert.match(dry.stdout, /^3 jobs lost, by queue: (demo 2, default 1|default 1, demo 2)$/m)
      for (const id of ids) assert.include(dry.stdout, id)
      assert.notInclude(dry.output, 'p-111')
      const unasked = await lab.run('queue:doctor', '--enqueue-lost')
      assert.equal(unasked.code, 1)
      assert.include(unasked.stdout, '3 jobs lost')
      assert.match(unasked.output, /3 lost jobs would be enqueued again, .* add --force/)
      const looked = await lab.ask('queue:doctor', '--enqueue-lost', '--dry-run')
      assert.deepEqual(
        [looked.code, looked.json.lost.count, looked.json.enqueued],
        [0, 3, 0],
        looked.output
      )
      assert.sameMembers(
        looked.json.lost.sample.map((job: { id: string }) => job.id),
        ids
      )
      assert.notInclude(looked.output, 'p-111')

      const args = ['queue:doctor', '--enqueue-lost', '--force']
      const env = await applicationEnv({ redisPort: redis.port, database })
      const { code, json } = isProcess
        ? answerOf(args, await runAce([...args, '--json'], env))
        : await lab.ask(...args)
      assert.equal(code, 0)
      assert.containSubset(json, {
        lost: { count: 3 },
        enqueued: 3,
        refused: 0,
        queues: { demo: 2, default: 1 },
      })
      await waitFor('their next runs', async () =>
        (await reader.rowsById(ids)).every(({ run, status }) => run === 2 && status !== 'failed')
      )
      const found = await reader.find(later.jobId)
      assert.equal(found!.status, 'scheduled')
      assert.equal((await reader.find(waiting.jobId))!.payload, JSON.stringify(secret))
      const again = await lab.run('queue:doctor', '--enqueue-lost', '--force')
      assert.deepEqual([again.code, again.stdout], [0, `${NOTHING}\n`], again.output)

      /** Gone from Redis, and the mirror has not read what the stream says of it. */
      await (await container.make('queuedeck.mirror')).stop()
      await connections.producer.del(keys.job('demo', waiting.jobId))
      await connections.producer.xadd(keys.events('demo'), '*', 'event', 'drained')
      const unclear = await lab.run('queue:doctor', '--enqueue-lost', '--dry-run')
      assert.equal(unclear.code, 1, unclear.output)
      assert.match(unclear.stdout, /^1 job .* may be lost or may have ended, by queue: demo 1\./)
    })
  })
})
