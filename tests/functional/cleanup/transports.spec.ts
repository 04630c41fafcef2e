import { test } from '@japa/runner'
import { Cleanup, type CleanupOptions } from '../../../src/cleanup/cleanup.ts'
import { TransportAndRecord } from '../../../src/jobs/ending_source.ts'
import type { Records } from '../../../src/records/records.ts'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab, type Tools } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { CleanupLab, DAY } from './lab.ts'

const RUN: CleanupOptions = { trigger: 'schedule', actor: 'a test' }

/** A mirror whose own janitor removes nothing, so that what the cleanup does is seen. */
const KEEPING = {
  config: { queues: [], kept: { completed: DAY, cancelled: DAY, failed: DAY } },
}

test.group('Cleanup of transports', (group) => {
  let lab: Lab
  let records: Records
  let cleaning: CleanupLab

  group.each.setup(async () => {
    const { url } = await redisServer()
    const { connection } = await createDatabase()
    await migrate(connection)
    lab = new Lab(url)
    records = openRecords(connection)
    cleaning = new CleanupLab(lab, records)
    return async () => {
      await lab.close()
      await records.close()
    }
  })

  /** Runs jobs to their ends: every third fails, the last is cancelled while it waits. */
  const work = async (count: number) => {
    lab.worker('a', ({ job }: Tools) => {
      if (job.data.fail) throw new Error('no')
      return { n: job.data.n }
    })
    const ids: string[] = []
    for (let n = 0; n < count; n++) {
      ids.push(await lab.add('a', {}, { data: JSON.stringify({ n, fail: n % 3 === 2 }) }))
    }
    const waiting = await lab.add('a', { delay: 3_600_000 })
    await lab.transport.cancel('a', waiting, { by: 'me', reason: 'enough' })
    const alive = await lab.add('a', { delay: 3_600_000 })
    await waitFor('all to end', async () => {
      const { a } = await lab.transport.depths(['a'])
      return a.completed + a.failed === count + 1 && a.running === 0
    })
    return { ids, alive }
  }

  const left = async () => {
    const { a } = await lab.transport.depths(['a'])
    return [a.completed, a.failed, a.scheduled]
  }

  test('removes ended transports by their clocks, none before its record', async ({ assert }) => {
    await work(9)
    const cleanup = cleaning.cleanup({ kept: { completed: 0, cancelled: '1h', results: 0 } })
    const early = await cleanup.run(RUN)
    assert.match(early.error!, /behind in "a"/)
    assert.deepEqual(await left(), [6, 4, 1])
    lab.mirror(records, KEEPING)
    await lab.mirrored()
    const dry = await cleanup.run({ ...RUN, dryRun: true })
    assert.deepEqual(await left(), [6, 4, 1])
    const { counts, error } = await cleanup.run(RUN)
    assert.isNull(error)
    assert.containSubset(dry.counts, { completedTransports: 6, failedTransports: 3 })
    assert.containSubset(counts, { completedTransports: 6, failedTransports: 3 })
    assert.equal(counts.cancelledTransports, 0)
    assert.deepEqual(await left(), [0, 1, 1])
    assert.containSubset(await records.reader.counts(), { completed: 6, failed: 3, cancelled: 1 })
  })

  test('waits for the mirror once however many queues are behind, and tells of it meanwhile', async ({
    assert,
  }) => {
    const queues = ['a', 'b', 'c', 'd']
    for (const queue of queues) {
      lab.worker(queue, () => {
        throw new Error('no')
      })
      await lab.add(queue)
    }
    await waitFor('all to fail', async () =>
      Object.values(await lab.transport.depths(queues)).every(({ failed }) => failed === 1)
    )
    const cleanup = new Cleanup({ ...cleaning.dependencies(), patience: 2_000 })
    const begun = performance.now()
    const told = [begun]
    const { error } = await cleanup.run({ ...RUN, onProgress: () => told.push(performance.now()) })
    for (const queue of queues) assert.include(error!, `"${queue}"`)
    assert.isBelow(performance.now() - begun, 4_000)
    /** Else the command would take Redis and the database for down. */
    assert.isBelow(Math.max(...told.slice(1).map((at, index) => at - told[index])), 1_000)
  })

  test('goes by the shorter clock at the start', async ({ assert }) => {
    await work(3)
    lab.mirror(records, KEEPING)
    await lab.mirrored()
    const cleanup = cleaning.cleanup({ kept: { atStart: 0, failed: '1h' } })
    await cleanup.run(RUN)
    assert.deepEqual(await left(), [2, 2, 1])
    const { counts } = await cleanup.run({ ...RUN, trigger: 'start' })
    assert.containSubset(counts, { completedTransports: 2, cancelledTransports: 1 })
    assert.deepEqual(await left(), [0, 1, 1])
  })

  test('counts what the mirror itself removed since the last run', async ({ assert }) => {
    await work(6)
    lab.mirror(records, {
      config: { queues: [], kept: { completed: 0, cancelled: 0, failed: 0 } },
      janitor: { every: 20 },
    })
    await waitFor('the janitor', async () => (await left()).join() === '0,0,1')
    await lab.mirrored()
    const { counts } = await cleaning.cleanup().run(RUN)
    assert.containSubset(counts, {
      completedTransports: 4,
      failedTransports: 2,
      cancelledTransports: 1,
    })
    const second = await cleaning.cleanup().run(RUN)
    assert.equal(second.counts.completedTransports, 0)
  })

  test('forgets results in Redis, and whoever asks then gets them from the record', async ({
    assert,
  }) => {
    const { ids } = await work(2)
    lab.mirror(records, KEEPING)
    await lab.mirrored()
    const { counts } = await cleaning.cleanup({ kept: { results: 0 } }).run(RUN)
    assert.equal(counts.results, 2)
    assert.equal(await lab.redis.hexists(lab.transport.keys.job('a', ids[1]), 'returnvalue'), 0)
    const endings = new TransportAndRecord(
      {
        facts: async (queue, id) =>
          (await lab.transport.audit.facts(queue, [id], lab.redis)).facts[0],
        subscribe: async () => () => {},
      },
      (id) => records.reader.find(id)
    )
    assert.deepEqual(await endings.endingOf(ids[1], 'a'), {
      status: 'completed',
      result: '{"n":1}',
    })
  })

  test('removes what nobody holds: ids without a job, locks without an end', async ({ assert }) => {
    const { keys } = lab.transport
    await lab.transport.registerQueues(['a'])
    await lab.redis.rpush(`${keys.queue('a')}active`, 'ghost')
    await lab.add('a', {}, {})
    const [id] = await lab.redis.lrange(`${keys.queue('a')}wait`, 0, 0)
    await lab.redis.lmove(`${keys.queue('a')}wait`, `${keys.queue('a')}active`, 'LEFT', 'LEFT')
    await lab.redis.set(keys.lock('a', id), 'somebody')
    const cleanup = cleaning.cleanup()
    assert.equal((await cleanup.run({ ...RUN, dryRun: true })).counts.orphans, 2)
    assert.equal((await cleanup.run(RUN)).counts.orphans, 2)
    assert.deepEqual(await lab.redis.lrange(`${keys.queue('a')}active`, 0, -1), [id])
    const ttl = await lab.redis.pttl(keys.lock('a', id))
    assert.isTrue(ttl > 0 && ttl <= 600_000)
  })

  test('works while Redis is full', async ({ assert }) => {
    const redis = await redisServer({ own: true, settings: { 'maxmemory-policy': 'noeviction' } })
    const full = new Lab(redis.url)
    try {
      const cleanup = new CleanupLab(full, records).cleanup({ kept: { completed: 0 } })
      full.worker('a', () => 1)
      for (let n = 0; n < 5; n++) await full.add('a')
      full.mirror(records, KEEPING)
      await full.mirrored()
      await full.stopWorkers()
      await full.redis.config('SET', 'maxmemory', '1mb')
      await assert.rejects(() => full.add('a'), /full/)
      const { counts, error } = await cleanup.run(RUN)
      assert.isNull(error)
      const { a } = await full.transport.depths(['a'], full.redis)
      assert.equal(a.completed, 0)
      assert.isAtLeast(counts.completedTransports, 0)
    } finally {
      await full.close()
      await redis.stop()
    }
  })
})
