import { test } from '@japa/runner'
import { foreignId, recordId } from '../../../src/records/ids.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import { JobQuery } from '../../../src/records/job_query.ts'
import type { Records } from '../../../src/records/records.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from './lab.ts'
import { emptyTables, openRecords } from './records.ts'

/** A stream is open to whoever reaches Redis: no entry may keep the ones behind it from being written. */
eachDatabase((database) => {
  test.group(`Mirror and entries that nobody should write | ${database.label}`, (group) => {
    let lab: Lab
    let records: Records

    group.each.setup(async () => {
      const { url } = await redisServer()
      lab = new Lab(url)
      records = openRecords(await emptyTables(database))
      lab.mirror(records)
      return async () => {
        await lab.close()
        await records.close()
      }
    })

    const write = (queue: string, ...entries: Record<string, string>[]) => {
      const pipeline = lab.redis.pipeline()
      for (const entry of entries) {
        pipeline.xadd(lab.transport.keys.events(queue), '*', ...Object.entries(entry).flat())
      }
      return pipeline.exec()
    }
    const goesOn = async (queue: string) => {
      const id = await lab.add(queue, { delay: 60_000 })
      await waitFor('a later job', () => records.reader.find(id))
    }

    test('takes numbers of any size', async () => {
      await lab.transport.registerQueues(['a'])
      const huge = ['2147483648', '4294967296', '9007199254740991', '1e300', '-1', '0.5', 'NaN', '']
      for (const [index, number] of huge.entries()) {
        const jobId = `job ${index}`
        const opts = `{"attempts":${Number(number) || 0},"priority":${Number(number) || 0},"timestamp":${Number(number) || 0}}`
        await write(
          'a',
          { event: 'added', jobId, name: 'work', data: '{}', opts, run: number },
          { event: 'active', jobId, ats: number, pb: 'host:1:x' },
          {
            event: 'progress',
            jobId,
            ats: number,
            data: `{"percent":${Number(number) || 0},"done":${Number(number) || 0},"total":9007199254740991}`,
          },
          {
            event: 'log',
            jobId,
            ats: number,
            lines: `[[${Number(number) || 0},${Number(number) || 0},"line"],[0.5,30.5,7]]`,
          },
          { event: 'delayed', jobId, ats: number, delay: number, err: 'again' },
          { event: 'active', jobId, ats: String(Number(number) * 2), pb: 'host:1:x' },
          {
            event: 'failed',
            jobId,
            ats: String(Number(number) * 2),
            failedReason: 'end',
            stack: 'Error: end',
          },
          { event: 'restarted', jobId, run: number, prev: 'failed' },
          { event: 'active', jobId, ats: number },
          { event: 'failed', jobId, ats: number, failedReason: 'end', stack: 'Error: end' },
          { event: 'restarted', jobId, run: String(Number(number) * 2), prev: 'failed' },
          { event: 'active', jobId, ats: '1' },
          { event: 'log', jobId, ats: number, lines: '[[1,30,"line"]]' },
          { event: 'cancel-requested', jobId, ats: number, run: number }
        )
        await goesOn('a')
      }
      const { lines } = await records.reader.logs(recordId('a', 'job 0'))
      if (lines.length !== 3) throw new Error(`${lines.length} lines`)
    })

    test('takes moments of other clocks', async () => {
      await lab.transport.registerQueues(['a', 'b'])
      const microseconds = Date.now() * 1_000
      for (const moment of [microseconds, -microseconds, 8e15, -8e15]) {
        const jobId = uuidV7()
        await write('a', { event: 'log', jobId, ats: '1', lines: `[[${moment},30,"x"]]` })
        /** One whose record begins with what Redis holds of it. */
        const foreign = uuidV7()
        const prefix = lab.transport.keys.events('a').slice(0, -'events'.length)
        const hash = { name: 'work', data: '{}', opts: '{}', timestamp: String(moment) }
        await lab.redis.hset(`${prefix}${foreign}`, hash)
        await lab.redis.zadd(`${prefix}completed`, 1, foreign)
        await write('a', { event: 'progress', jobId: foreign, ats: '1', data: '5' })
        await goesOn('a')
        await goesOn('b')
      }
    })

    test('takes ids that are made to be those of records of others', async ({ assert }) => {
      await lab.transport.registerQueues(['a'])
      const first = foreignId('a', 'x')
      const second = foreignId('a', first)
      const third = foreignId('a', second)
      const ids = ['x', first, second, third]
      const added = (jobId: string) => ({ event: 'added', jobId, name: 'work', data: '{}' })
      const written = async (n: number) => {
        const rows = await records.db.all('select id from queuedeck_jobs')
        return rows.length === n
      }
      /** All at once, and again one by one from the far end. */
      await write('a', ...ids.map(added))
      await waitFor('a record of each', () => written(4))
      await lab.transport.registerQueues(['b'])
      const others = ['y']
      for (let n = 0; n < 3; n++) others.push(foreignId('b', others[n]))
      for (const [n, id] of [...others].reverse().entries()) {
        await write('b', added(id))
        await waitFor('its record', () => written(5 + n))
      }
      /** Each is found again. */
      for (const id of ids) await write('a', { event: 'active', jobId: id, ats: '1', pb: 'h:1:x' })
      for (const id of others) {
        await write('b', { event: 'active', jobId: id, ats: '1', pb: 'h:1:x' })
      }
      await goesOn('a')
      await goesOn('b')
      const rows = await records.db.all(
        'select attempts, run from queuedeck_jobs where attempts > 0'
      )
      assert.lengthOf(rows, 8)
    })

    test('takes names, ids and reports of any length', async () => {
      await lab.transport.registerQueues(['a'])
      const long = 'Ω"\\\u0001😀'.repeat(20_000)
      await write(
        'a',
        {
          event: 'added',
          jobId: long.slice(0, 5_000),
          name: long,
          data: '{',
          opts: `{"qd":{"user":${JSON.stringify(long)},"tags":[${JSON.stringify(long)},"",1,null]}}`,
        },
        { event: 'active', jobId: long.slice(0, 5_000), ats: '1', pb: long },
        {
          event: 'progress',
          jobId: long.slice(0, 5_000),
          ats: '1',
          data: JSON.stringify({ percent: 'x', stage: long, unit: long }),
        },
        {
          event: 'failed',
          jobId: long.slice(0, 5_000),
          ats: '1',
          failedReason: `[${'E'.repeat(3_000)}] ${long}`,
          stack: long,
        },
        { event: 'added', jobId: '__proto__', name: '', data: '', opts: '[]' },
        { event: 'active', jobId: 'constructor', pb: '' },
        { event: '__proto__', jobId: 'x' },
        { event: 'unknown', jobId: 'x' },
        { event: 'added', name: 'without an id' },
        { jobId: 'without an event' },
        { nothing: 'at all' },
        { event: 'cancelled', jobId: 'cancelled alone', by: long, reason: long },
        { event: 'stalled', jobId: 'stalled alone' },
        { event: 'waiting', jobId: 'waits alone', prev: 'active', err: long, stack: long }
      )
      await goesOn('a')
    })

    test('takes jobs whose moments are no numbers into an audit', async ({ assert }) => {
      const id = await lab.add('a')
      const { keys } = lab.transport
      const moment = '2026-11-29T21:00:00Z'
      const moments = { text: moment, huge: '1e308', none: '', micro: '1795989600000000' }
      for (const [jobId, told] of Object.entries(moments)) {
        const facts = { name: 'work', data: '{}', opts: '{}', ats: '1' }
        const all = { timestamp: told, processedOn: told, finishedOn: told }
        await lab.redis.hset(keys.job('a', jobId), { ...facts, ...all })
        await lab.redis.zadd(`${keys.queue('a')}completed`, 1, jobId)
      }
      await lab.redis.del(keys.events('a'))
      await lab.mirrored()
      assert.exists(await records.reader.find(id))
      for (const jobId of Object.keys(moments)) {
        const job = await records.reader.find(recordId('a', jobId))
        assert.equal(job?.status, 'completed')
        assert.closeTo(job!.createdAt, Date.now(), 60_000)
      }
    })

    test('takes ids that are the names of other keys, in the stream and in an audit', async ({
      assert,
    }) => {
      const own = await lab.add('a')
      const ids = ['wait', 'events', 'meta', 'completed', 'id']
      await lab.redis.zadd(`${lab.transport.keys.queue('a')}completed`, 1, 'wait', 2, 'events')
      for (const jobId of ids) {
        await write(
          'a',
          { event: 'added', jobId },
          { event: 'active', jobId },
          { event: 'completed', jobId }
        )
      }
      await goesOn('a')
      await lab.redis.xtrim(lab.transport.keys.events('a'), 'MAXLEN', 0)
      await goesOn('a')
      await lab.mirrored()
      assert.equal((await records.reader.find(own))?.status, 'pending')
      for (const id of ids) {
        assert.equal((await records.reader.find(recordId('a', id)))?.transportId, id)
      }
    })

    test('goes on with other queues where the key of one is no stream', async ({ assert }) => {
      const { keys } = lab.transport
      await lab.redis.hset(keys.events('before'), 'name', 'a job called events')
      await lab.transport.registerQueues(['before', 'while'])
      await goesOn('a')
      const id = await lab.add('while', { delay: 60_000 })
      await waitFor('its record', () => records.reader.find(id))
      await lab.redis.rename(keys.events('while'), keys.events('aside'))
      await lab.redis.set(keys.events('while'), 'text')
      await goesOn('a')
      await lab.redis.rename(keys.events('aside'), keys.events('while'))
      await lab.transport.cancel('while', id, { by: 'ann', reason: 'no more' })
      await waitFor('its end', async () => (await records.reader.find(id))?.status === 'cancelled')
      assert.isNull(await records.reader.find(recordId('before', 'name')))
    })

    test('goes on with other queues where an id of one is beyond all dates', async () => {
      const { keys } = lab.transport
      await lab.transport.registerQueues(['far'])
      await lab.redis.xadd(keys.events('far'), '9007199254740991-1', 'event', 'added', 'jobId', 'x')
      await goesOn('a')
      await lab.redis.del(keys.events('far'))
      await goesOn('far')
    })

    test('keeps jobs of two queues apart that have the same id', async ({ assert }) => {
      const id = uuidV7()
      await lab.transport.add([
        lab.job('a', {}, { id, name: 'first' }),
        lab.job('b', { delay: 60_000 }, { id, name: 'second' }),
      ])
      await goesOn('a')
      await goesOn('b')
      const { rows } = await records.reader.page(JobQuery.from({}))
      const seen = (name: string) => rows.find(({ type }) => type === name)!
      assert.containSubset(seen('first'), { id, queue: 'a', status: 'pending' })
      assert.containSubset(seen('second'), { queue: 'b', status: 'scheduled' })
      assert.equal(seen('second').id, foreignId('b', id))

      /** Each goes on by itself, in one batch and in two, through an audit and the janitor. */
      await lab.transport.cancel('b', id, { by: 'ann', reason: 'no more' })
      lab.worker('a', () => 1)
      await waitFor('both ends', async () => {
        const [first, second] = await Promise.all(
          [id, foreignId('b', id)].map((one) => records.reader.find(one))
        )
        return first?.status === 'completed' && second?.status === 'cancelled'
      })
      await lab.redis.xtrim(lab.transport.keys.events('b'), 'MAXLEN', 0)
      await lab.redis.xtrim(lab.transport.keys.events('a'), 'MAXLEN', 0)
      await goesOn('a')
      await goesOn('b')
      await lab.mirrored()
      const [first, second] = await Promise.all(
        [id, foreignId('b', id)].map((one) => records.reader.find(one))
      )
      assert.containSubset(first, { status: 'completed', queue: 'a', transportId: id, run: 1 })
      assert.containSubset(second, { status: 'cancelled', queue: 'b', transportId: id, run: 1 })
      assert.deepEqual(
        second!.events.map(({ kind }) => kind),
        ['added', 'scheduled', 'cancelled']
      )
    })
  })
})
