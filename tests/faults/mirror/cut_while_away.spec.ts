import { test } from '@japa/runner'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { stopwatch } from '#tests/helpers/stopwatch'
import { MirrorProcess, ownDatabase } from './victims.ts'

/**
 * How many jobs run unseen: some pages of the mirror's audit. By hand also with `QUEUEDECK_CUT_JOBS=30000`.
 */
const JOBS = Number(process.env.QUEUEDECK_CUT_JOBS ?? 1_200)
const FAILING = JOBS / 300

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

eachDatabase(({ label, create }) => {
  test.group(`Mirror and a stream that was cut | ${label}`, () => {
    test(`counts ${JOBS} jobs right that ran while no mirror did, from Redis alone, with two mirrors at once`, async ({
      assert,
    }) => {
      const redis = await redisServer({ own: true })
      const { connection } = await create()
      await migrate(connection)
      const records = openRecords(connection)
      const lab = new Lab(redis.url)
      const mirrors: MirrorProcess[] = []
      try {
        lab.mirror(records)
        await lab.transport.registerQueues(['a'])
        await lab.add('a', { delay: 3_600_000 })
        await lab.mirrored()
        await lab.stopMirrors()
        const { lastId } = (await records.writer.cursors(['a'])).get('a')!

        for (let from = 0; from < JOBS; from += 300) {
          const jobs = Array.from({ length: 300 }, (_, index) =>
            lab.job('a', {}, { name: (from + index) % 300 === 0 ? 'fails' : 'works' })
          )
          await lab.transport.add(jobs)
        }
        lab.worker(
          'a',
          async ({ job }) => {
            await pause(1)
            if (job.name === 'fails') throw new Error('no')
          },
          { concurrency: 100 }
        )
        await waitFor(
          'all jobs to end',
          async () => {
            const { a } = await lab.transport.depths(['a'], lab.redis)
            return a.completed + a.failed === JOBS
          },
          { within: 60_000 }
        )
        await lab.stopWorkers()
        await lab.redis.xtrim(lab.transport.keys.events('a'), 'MAXLEN', 0)

        const settings = {
          redis: redis.url,
          prefix: lab.transport.keys.prefix,
          connection,
          unled: true,
        }
        mirrors.push(new MirrorProcess(settings), new MirrorProcess(settings))
        const seen: number[] = []
        await waitFor(
          'all records',
          async () => {
            const counts = await records.reader.counts()
            seen.push(counts.completed + counts.failed)
            return counts.completed === JOBS - FAILING && counts.failed === FAILING
          },
          { within: 60_000, every: 100 }
        )
        assert.deepEqual(
          seen,
          [...seen].sort((a, b) => a - b)
        )
        await Promise.all(mirrors.map((mirror) => mirror.ask('stop')))
        const counts = await records.reader.counts()
        assert.equal(
          Object.values(counts).reduce((sum: number, count: number) => sum + count, 0),
          JOBS + 1
        )
        const cursor = (await records.writer.cursors(['a'])).get('a')!
        assert.equal(cursor.lastId, lastId)
        assert.equal(JSON.parse(cursor.notes!).gap.reason, 'the event stream was cut')
      } finally {
        await Promise.all(mirrors.map((mirror) => mirror.kill()))
        await lab.close()
        await records.close()
        await redis.stop()
      }
    })
  })
})

test.group('Mirror and a locked SQLite', () => {
  test('waits for another connection that writes for 3 s, with a second mirror beside it, and loses nothing', async ({
    assert,
  }) => {
    const { url: redis } = await redisServer()
    const database = await ownDatabase('sqlite')
    await migrate(database.connection)
    const records = openRecords(database.connection)
    const lab = new Lab(redis)
    const settings = {
      redis,
      prefix: lab.transport.keys.prefix,
      connection: database.connection,
      unled: true,
    }
    const mirrors = [new MirrorProcess(settings), new MirrorProcess(settings)]
    try {
      await Promise.all(mirrors.map((mirror) => mirror.ready()))
      lab.worker('a', () => 1, { concurrency: 50 })
      const adding = (async () => {
        for (let from = 0; from < 1_200; from += 20) {
          await lab.transport.add(Array.from({ length: 20 }, () => lab.job('a')))
          await pause(30)
        }
      })()
      await pause(300)
      await database.away()
      const until = Date.now() + 3_000
      while (Date.now() < until) {
        const from = stopwatch()
        await records.reader.counts()
        assert.isBelow(from(), 1_000)
        await pause(100)
      }
      await database.back()
      await adding
      await waitFor(
        'all records',
        async () => (await records.reader.counts()).completed === 1_200,
        { every: 100 }
      )
      assert.isTrue(mirrors.every((mirror) => mirror.isAlive))
    } finally {
      await Promise.all(mirrors.map((mirror) => mirror.kill()))
      await lab.close()
      await records.close()
      await database.stop()
    }
  })
})
