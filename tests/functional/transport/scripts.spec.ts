import { Queue, Worker } from 'bullmq'
import { test } from '@japa/runner'
import { installedTexts } from '../../../src/transport/scripts/bullmq_texts.ts'
import { buildLibrary, edit, editSets } from '../../../src/transport/scripts/workshop.ts'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { redisServer } from '#tests/helpers/servers'
import { transportJob as job } from '#tests/helpers/transport_job'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../worker/lab.ts'

/** Commands that Redis took while `work` ran, as its own counter says. */
async function roundTrips(lab: WorkerLab, work: () => Promise<unknown>): Promise<number> {
  const reads = async () => {
    const info = await lab.redis.info('stats')
    return Number(/total_reads_processed:(\d+)/.exec(info)![1])
  }
  const before = await reads()
  await work()
  return (await reads()) - before - 1
}

for (const withoutFunctions of [false, true]) {
  test.group(`Scripts by ${withoutFunctions ? 'EVALSHA' : 'functions'}`, (group) => {
    let lab: WorkerLab
    group.each.setup(async () => {
      const { url } = await redisServer()
      lab = new WorkerLab(url, [], {}, uniquePrefix(), { withoutFunctions })
      return () => lab.close()
    })

    test('count the jobs of all queues beside one whose keys are of another type', async ({
      assert,
    }) => {
      const { prefix, transport, redis } = lab
      await transport.add([job({}, { queue: 'fine' }), job({}, { queue: 'fine' })])
      for (const key of ['wait', 'delayed', 'completed', 'meta']) {
        await redis.set(`${prefix}:odd:${key}`, 'no job')
      }
      await redis.rpush(`${prefix}:odd:active`, 'one')
      const { fine, odd } = await transport.depths(['odd', 'fine'])
      assert.equal(fine.pending, 2)
      assert.deepInclude(odd, { pending: 0, scheduled: 0, running: 1, paused: false })
    })

    test('leave jobs as plain BullMQ does', async ({ assert }) => {
      const { prefix, transport, redis } = lab
      const plainPrefix = `${prefix}plain`
      const connection = redis as never
      const run = async (at: string, hooked: boolean) => {
        const factory = (hooked ? transport.backendFactory : undefined) as never
        const queue = new Queue('q', { connection, prefix: at }, factory)
        await queue.add('a', { n: 1 }, { jobId: 'one' })
        await queue.add('a', { n: 2 }, { jobId: 'late', delay: 60_000 })
        await queue.add('a', { n: 3 }, { jobId: 'first', priority: 3 })
        await queue.add('a', { n: 4 }, { jobId: 'bad', attempts: 2 })
        const worker = new Worker(
          'q',
          async ({ id }) => {
            if (id === 'bad') throw new Error('no')
            return { id }
          },
          { connection, prefix: at, concurrency: 1 },
          factory
        )
        await waitFor('three ends', async () => {
          const { completed, failed } = await queue.getJobCounts('completed', 'failed')
          return completed + failed === 3
        })
        await worker.close()
        const found: Record<string, unknown> = { counts: await queue.getJobCounts() }
        for (const id of ['one', 'late', 'first', 'bad']) {
          const { eid, run: ofRun, ...hash } = await redis.hgetall(`${at}:q:${id}`)
          for (const field of ['timestamp', 'processedOn', 'finishedOn', 'stacktrace', 'pb'])
            delete hash[field]
          found[id] = hash
        }
        const events = await redis.xrange(`${at}:q:events`, '-', '+')
        /** Not in ours: the twin of `added`, and the note beside `failed`, which say nothing more. */
        found.events = events
          .map(([, fields]) => `${fields[1]} ${fields[3]}`)
          .filter((event) => !/^(waiting|retries-exhausted) /.test(event))
          .sort()
        await queue.close()
        return found
      }
      assert.deepEqual(await run(prefix, true), await run(plainPrefix, false))
    })

    test('write an entry that says everything its record needs, and note it in the job', async ({
      assert,
    }) => {
      const one = job({ attempts: 3, qd: { user: 'u', tags: ['t'] } })
      await lab.transport.add([one])
      const [entry] = await lab.entriesOf()
      assert.deepEqual(
        [entry.event, entry.jobId, entry.name, entry.data],
        ['added', one.id, 'work', '{"n":1}']
      )
      assert.deepEqual(JSON.parse(entry.opts).qd, { user: 'u', tags: ['t'] })
      const [last] = await lab.redis.xrevrange(
        lab.transport.keys.events('default'),
        '+',
        '-',
        'COUNT',
        1
      )
      assert.equal((await lab.job(one.id)).eid, last[0])
      assert.deepEqual(await lab.transport.queueNames(), ['default'])
    })

    test('are brought again when Redis has lost them', async ({ assert }) => {
      await lab.transport.add([job()])
      await lab.redis.script('FLUSH')
      if (!withoutFunctions) await lab.redis.function('FLUSH')
      await lab.transport.add([job()])
      await lab.transport.add([job(), job()])
      assert.equal((await lab.transport.depths(['default'])).default.pending, 4)
    })

    test('refuse an id that is taken and leave the job as it is', async ({ assert }) => {
      const one = job()
      await lab.transport.add([one])
      await assert.rejects(
        () => lab.transport.add([{ ...one, data: '{"n":2}' }]),
        /already|exists|taken/i
      )
      assert.equal((await lab.job(one.id)).data, '{"n":1}')
      assert.lengthOf(await lab.entriesOf(), 1)
    })

    test('add a thousand jobs in one round trip', async ({ assert }) => {
      await lab.transport.add([job()])
      const many = Array.from({ length: 1_000 }, () => job())
      const trips = await roundTrips(lab, () => lab.transport.add(many))
      assert.equal((await lab.transport.depths(['default'])).default.pending, 1_001)
      /** One pipeline, however many packets of the network it comes in. */
      assert.isBelow(trips, 100)
    })
  })
}

test.group('Workshop', () => {
  test('refuses a text that moved, naming script and anchor', ({ assert }) => {
    const texts = installedTexts()
    const script = texts.get('moveToFinished')!
    texts.set('moveToFinished', { ...script, text: `${script.text}\n-- moved` })
    assert.throws(() => buildLibrary({ texts }), /moveToFinished/)
    assert.throws(
      () => edit({ ...script, text: 'return 1' }, editSets()),
      /moveToFinished.*occurs 0 times/s
    )
  })

  test('gives the same library the same name, and another one another', ({ assert }) => {
    assert.equal(buildLibrary().name, buildLibrary().name)
    assert.notEqual(buildLibrary().name, buildLibrary({ cap: 10 }).name)
  })
})
