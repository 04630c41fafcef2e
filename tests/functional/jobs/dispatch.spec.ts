import { Redis } from 'ioredis'
import { test } from '@japa/runner'
import vine from '@vinejs/vine'
import { defineConfig, Job, QueueManager } from '#queuedeck'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import { Connections } from '../../../src/transport/connections.ts'
import { Transport } from '../../../src/transport/transport.ts'
import { freePort } from '#tests/helpers/ports'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { redisServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'

class Counted extends Job<{ n: number }, void> {
  static override options = { name: 'tests.counted', queue: 'numbers', attempts: 2 }
  static override payload = vine.create({ n: vine.number() })
  async execute() {}
}

test.group('Dispatching to Redis', () => {
  async function lab(cleanup: (close: () => Promise<void>) => void, port?: number) {
    const redis = new Redis({
      port: port ?? (await redisServer()).port,
      lazyConnect: true,
      retryStrategy: () => 100,
    })
    redis.on('error', () => {})
    const config = defineConfig({ prefix: uniquePrefix() })
    const connections = new Connections(() => ({ ioConnection: redis }) as never)
    const transport = new Transport(connections, { prefix: config.prefix })
    const queue = new QueueManager(config, new JobRegistry(), transport, null as never)
    cleanup(async () => {
      await connections.closeAll()
      redis.disconnect()
    })
    return { queue, transport, redis, config }
  }

  test('enqueues a job with its payload, options and queue', async ({ assert, cleanup }) => {
    const { queue, redis, config } = await lab(cleanup)
    const { jobId } = await queue.dispatch(Counted, { n: 1 }).in('60d').by(42).tag('x')
    const hash = await redis.hgetall(`${config.prefix}:numbers:${jobId}`)
    assert.equal(hash.name, 'tests.counted')
    assert.equal(hash.data, '{"n":1}')
    assert.equal(hash.delay, '5184000000')
    assert.deepInclude(JSON.parse(hash.opts).qd, { user: '42', tags: ['x'] })
  })

  test('enqueues thousands in order', async ({ assert, cleanup }) => {
    const { queue, transport, redis, config } = await lab(cleanup)
    const handles = await queue.dispatchMany(
      Array.from({ length: 2_500 }, (_, n) => ({ type: Counted, payload: { n } }))
    )
    const waiting = await redis.lrange(`${config.prefix}:numbers:wait`, 0, -1)
    assert.deepEqual(
      waiting.reverse(),
      handles.map(({ jobId }) => jobId)
    )
    assert.equal((await transport.depths(['numbers'])).numbers.pending, 2_500)
  })

  test('enqueues nothing when one of many payloads is refused', async ({ assert, cleanup }) => {
    const { queue, redis, config } = await lab(cleanup)
    await assert.rejects(() =>
      queue.dispatchMany([
        { type: Counted, payload: { n: 1 } },
        { type: Counted, payload: { n: 'none' } },
      ])
    )
    assert.deepEqual(await redis.keys(`${config.prefix}*`), [])
  })

  test('refuses an id that is taken', async ({ assert, cleanup }) => {
    const { queue } = await lab(cleanup)
    const { jobId } = await queue.dispatch(Counted, { n: 1 })
    const error = await queue
      .dispatch(Counted, { n: 2 })
      .withId(jobId)
      .catch((reason) => reason)
    assert.equal((error as { code: string }).code, 'E_DUPLICATE_JOB')
  })

  test('refuses of thousands the one whose id is taken, and no other', async ({
    assert,
    cleanup,
  }) => {
    const { queue, transport, redis, config } = await lab(cleanup)
    const { jobId } = await queue.dispatch(Counted, { n: 1 })
    const options = (n: number) => (n === 1 || n === 3 ? { jobId } : n === 4 ? after : {})
    const after = { waitFor: [jobId] }
    const error = await queue
      .dispatchMany(
        Array.from({ length: 1_500 }, (_, n) => ({
          type: Counted,
          payload: { n },
          options: options(n),
        }))
      )
      .catch((reason) => reason)
    assert.equal((error as { code: string }).code, 'E_DUPLICATE_JOB')
    const { pending, blocked } = (await transport.depths(['numbers'])).numbers
    assert.deepEqual({ pending, blocked }, { pending: 1 + 1_497, blocked: 1 })
    assert.include(await redis.hget(`${config.prefix}:numbers:${jobId}`, 'data'), '"n":1}')
  })

  test('says of thousands how many a Redis that fills meanwhile did not take', async ({
    assert,
    cleanup,
  }) => {
    const server = await redisServer({ own: true })
    cleanup(() => server.stop())
    const { queue, transport, redis } = await lab(cleanup, server.port)
    await queue.dispatch(Counted, { n: 0 })
    const used = /used_memory:(\d+)/.exec(await redis.info('memory'))![1]
    await redis.config('SET', 'maxmemory', Number(used) + 1_500_000)
    const error: Error = await queue
      .dispatchMany(
        Array.from({ length: 1_500 }, (_, n) => ({
          type: Counted,
          payload: { n, text: 'x'.repeat(2_000) } as never,
        }))
      )
      .then(() => assert.fail('it was full'))
      .catch((reason) => reason)
    const taken = (await transport.depths(['numbers'])).numbers.pending - 1
    assert.isAbove(taken, 1)
    assert.include(error.message, `${1_500 - taken} of 1500 jobs were not dispatched, job `)
  })

  for (const key of ['wait', 'marker', 'meta', 'events', 'id']) {
    test(`names the key where another program's data stands, and leaves no job: ${key}`, async ({
      assert,
      cleanup,
    }) => {
      const { queue, transport, redis, config } = await lab(cleanup)
      const at = `${config.prefix}:numbers:${key}`
      await redis.set(at, 'theirs')
      const requests = [0, 1].map((n) => ({ type: Counted, payload: { n } }))
      for (const dispatch of [
        () => queue.dispatchMany(requests),
        async () => queue.dispatch(Counted, { n: 2 }),
      ]) {
        const error = await dispatch().then(
          () => assert.fail('it was taken'),
          (reason) => reason
        )
        assert.equal(error.code, 'E_FOREIGN_KEY')
        assert.include(error.message, `"${at}" in Redis holds a string`)
      }
      assert.equal(await redis.get(at), 'theirs')
      await redis.del(at)
      assert.equal((await transport.depths(['numbers'])).numbers.pending, 0)
      await queue.dispatch(Counted, { n: 3 })
      assert.equal((await transport.depths(['numbers'])).numbers.pending, 1)
    })
  }

  test('says that a Redis may have as many connections as it takes', async ({
    assert,
    cleanup,
  }) => {
    const server = await redisServer({ own: true })
    const other = new Redis(server.url)
    cleanup(async () => {
      other.disconnect()
      await server.stop()
    })
    const { queue } = await lab(cleanup, server.port)
    await other.config('SET', 'maxclients', 1)
    const error = await queue.dispatch(Counted, { n: 1 }).catch((reason) => reason)
    assert.match((error as Error).message, /as many connections as it takes \(maxclients\)/)
  })

  test('fails within 5 s and names Redis while it is away', async ({ assert, cleanup }) => {
    const { queue } = await lab(cleanup, await freePort())
    const started = stopwatch()
    const error = await queue.dispatch(Counted, { n: 1 }).catch((reason) => reason)
    assert.equal((error as { code: string }).code, 'E_REDIS_UNAVAILABLE')
    assert.isBelow(started(), 5_000)
  })
})
