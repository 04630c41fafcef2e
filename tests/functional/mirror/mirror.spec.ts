import { test } from '@japa/runner'
import { Queue, Worker } from 'bullmq'
import { recordId } from '../../../src/records/ids.ts'
import type { Records } from '../../../src/records/records.ts'
import type { JobDetails } from '../../../src/types.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from './lab.ts'
import { emptyTables, openRecords } from './records.ts'

eachDatabase((database) => {
  test.group(`Mirror | ${database.label}`, (group) => {
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

    const ended = (id: string): Promise<JobDetails> =>
      waitFor('the record of an ended job', async () => {
        const record = await records.reader.find(id)
        return record?.finishedAt ? record : undefined
      })

    test('writes everything that a job did into its record', async ({ assert }) => {
      lab.worker('a', async ({ progress, log, attempt }) => {
        await progress(40, 'Parsing')
        await log(`attempt ${attempt}`)
        if (attempt === 1) throw new Error('not yet')
        return { pages: 3 }
      })
      const id = await lab.add(
        'a',
        { attempts: 3, priority: 4, qd: { user: '7', tags: ['x', 'y'], by: 'me' } },
        { data: '{"file":"ü.pdf"}' }
      )
      const record = await ended(id)
      assert.containSubset(record, {
        status: 'completed',
        queue: 'a',
        type: 'work',
        run: 1,
        attempts: { started: 2, max: 3 },
        priority: 4,
        user: '7',
        tags: ['x', 'y'],
        payload: '{"file":"ü.pdf"}',
        result: '{"pages":3}',
        error: null,
        hasTransport: true,
      })
      assert.deepEqual(
        record.events.map(({ kind }) => kind),
        ['added', 'running', 'stage', 'attempt failed', 'pending', 'running', 'completed']
      )
      assert.containSubset(record.attemptList, [
        { attempt: 1, outcome: 'failed', error: { code: null, message: 'not yet' } },
        { attempt: 2, outcome: 'completed', error: null },
      ])
      assert.include(record.attemptList[0].error!.stack!, 'not yet')
      const { lines } = await records.reader.logs(id, {})
      assert.deepEqual(
        lines.map(({ line, level, attempt }) => [line, level, attempt]),
        [
          ['attempt 1', 'info', 1],
          ['attempt 2', 'info', 2],
        ]
      )
    })

    test('takes what is new of a job that was removed and added again under its id', async ({
      assert,
    }) => {
      const data = (letter: string) => JSON.stringify({ text: letter.repeat(70_000) })
      const options = { delay: 60_000, qd: { user: '7', tags: ['x'] } }
      const id = await lab.add('a', options, { data: data('a') })
      await waitFor('the payload', async () => (await records.reader.find(id))?.payload)
      assert.equal(await lab.queue('a').remove(id), 1)
      await lab.add('a', { qd: { user: '8' } }, { id, data: data('b') })
      lab.worker('a', () => 'second')
      const record = await waitFor('the second life', async () => {
        const found = await records.reader.find(id)
        return found?.status === 'completed' && found
      })
      assert.containSubset(record, { run: 2, user: '8', tags: [], result: '"second"' })
      assert.equal(record.payload, data('b'))
      assert.containSubset(record.runs, [{ run: 1, status: 'cancelled' }])
    })

    test('tells web processes what changed, after the commit', async ({ assert }) => {
      const notices: { id: string; status: string; seen: string | undefined }[] = []
      const stop = await lab.transport.changes.subscribe(async ({ changed }) => {
        for (const { id, status } of changed) {
          notices.push({ id, status, seen: (await records.reader.find(id))?.status })
        }
      })
      const id = await lab.add('a', { delay: 60_000 })
      await waitFor('the notice', () => notices.some((notice) => notice.id === id))
      await stop()
      assert.deepEqual(notices, [{ id, status: 'scheduled', seen: 'scheduled' }])
    })

    test('keeps NUL in payloads, logs and errors from stopping anything', async ({ assert }) => {
      lab.worker('a', async ({ log }) => {
        await log('li\u0000ne')
        throw new Error('mess\u0000age')
      })
      const data = '{"a":"x\\u0000y","b":"\\\\u0000"}'
      const id = await lab.add('a', { qd: { user: 'u\u0000', tags: ['t\u0000'] } }, { data })
      const record = await ended(id)
      assert.equal(record.status, 'failed')
      const payload = JSON.parse(record.payload!) as { a: string; b: string }
      assert.equal(payload.b, '\\u0000')
      assert.lengthOf(payload.b, 6)
      assert.match(payload.a, /^x(?:\0|\uFFFD|\u2400)y$/)
      assert.match(record.error!.message, /^mess[\uFFFD\u2400]age$/)
      const { lines } = await records.reader.logs(id, {})
      assert.match(lines[0].line, /^li[\uFFFD\u2400]ne$/)
      const next = await lab.add('a')
      assert.equal((await ended(next)).status, 'failed')
    })

    test('keeps whole numbers above 2^53 of other producers digit by digit', async ({ assert }) => {
      const { keys } = lab.transport
      const queue = new Queue('plain', {
        connection: lab.connections.worker as never,
        prefix: keys.prefix,
      })
      await lab.transport.registerQueues(['plain'])
      await lab.redis.hset(keys.job('plain', 'foreign 9'), {
        name: 'import',
        data: '{"rowId":1970670598291982291}',
        opts: '{"attempts":1}',
        timestamp: String(Date.now()),
        delay: '0',
        priority: '0',
      })
      await lab.redis.lpush(`${keys.queue('plain')}wait`, 'foreign 9')
      await lab.redis.xadd(
        keys.events('plain'),
        '*',
        'event',
        'added',
        'jobId',
        'foreign 9',
        'name',
        'import'
      )
      const id = recordId('plain', 'foreign 9')
      const record = await waitFor('the record', () => records.reader.find(id))
      assert.equal(record.payload, '{"rowId":1970670598291982291}')
      assert.equal(record.transportId, 'foreign 9')
      const counts = await records.reader.counts()
      for (const count of Object.values(counts)) assert.isNumber(count)
      await queue.close()
    })

    test('mirrors queues that plain BullMQ fills and works', async ({ assert }) => {
      const options = {
        connection: lab.connections.worker as never,
        prefix: lab.transport.keys.prefix,
      }
      await lab.transport.registerQueues(['plain'])
      const queue = new Queue('plain', options)
      const worker = new Worker(
        'plain',
        async (job) => {
          if (job.attemptsMade === 0) throw new Error('once')
          return { n: job.data.n }
        },
        options
      )
      worker.on('error', () => {})
      const job = await queue.add('other', { n: 5 }, { attempts: 2 })
      const record = await ended(recordId('plain', job.id!))
      assert.containSubset(record, {
        status: 'completed',
        type: 'other',
        payload: '{"n":5}',
        result: '{"n":5}',
        attempts: { started: 2, max: 2 },
      })
      assert.containSubset(record.attemptList, [
        { attempt: 1, outcome: 'failed', error: { message: 'once' } },
        { attempt: 2, outcome: 'completed' },
      ])
      await worker.close()
      await queue.close()
    })
  })
})
