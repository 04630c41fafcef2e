import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { freePort } from '#tests/helpers/ports'
import type { PrivateServer } from '#tests/helpers/private_server'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { stopwatch } from '#tests/helpers/stopwatch'
import type { Client } from './client.ts'
import { DashboardLab } from './lab.ts'

test.group('Dashboard | the database is away', (group) => {
  let client: Client

  group.setup(async () => {
    const connection = { host: '127.0.0.1', port: await freePort(), database: 'nothing' }
    const lab = await DashboardLab.open({
      database: {
        kind: 'pg',
        env: {},
        connection: { client: 'pg', connection },
        drop: async () => {},
      },
    })
    client = lab.client()
    return () => lab.close()
  })

  test('the dashboard answers, with no number that nobody counted', async ({ assert }) => {
    const { status, json } = await client.json('')
    assert.equal(status, 200)
    for (const name of ['pending', 'running', 'failed', 'completed', 'inQueue', 'total']) {
      assert.isNull(json.statistics[name], name)
    }
    assert.isNumber(json.statistics.activeWorkers)
    assert.isTrue(json.health.database.away)
    assert.isFalse(json.health.redis.away)
    assert.deepEqual(json.running, [])
    const page = await client.page('')
    assert.equal(page.status, 200)
    assert.match(page.text, /database does not answer|database takes no records/)
    assert.include(page.text, 'Running jobs cannot be seen now')
    assert.notInclude(page.text, 'Nothing is running')
    assert.equal((await client.partial('')).status, 200)
  })

  test('{$self} answers 503 and says what is away')
    .with([
      '/jobs',
      '/jobs/0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9',
      '/jobs/0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9/logs',
      '/jobs/0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9/cancel',
    ])
    .run(async ({ assert }, path) => {
      const { status, json } = await client.json(path)
      assert.equal(status, 503)
      assert.equal(json.errors[0].code, 'E_DATABASE_UNAVAILABLE')
      const page = await client.page(path)
      assert.equal(page.status, 503)
      assert.match(page.text, /<html[\s\S]*database cannot be reached/i)
      assert.equal((await client.partial(path)).status, 503)
    })

  test('jobs are accepted all the same, and the answer comes soon', async ({ assert }) => {
    const asked = stopwatch()
    const { status, json } = await client.post('/jobs', { type: 'demo.sleep', payload: { ms: 1 } })
    assert.equal(status, 201)
    assert.equal(json.job.status, 'pending')
    assert.isBelow(asked(), 5_000)
  })

  test('queues show what waits and are paused; only the oldest job is not known', async ({
    assert,
  }) => {
    await client.post('/jobs', { type: 'demo.sleep', payload: { ms: 1 } })
    const { status, json } = await client.json('/queues/demo')
    assert.equal(status, 200)
    assert.isAbove(json.depths.pending, 0)
    assert.isNull(json.oldest)
    assert.equal((await client.page('/queues')).status, 200)
    assert.isTrue((await client.post('/queues/demo/pause')).json.queue.paused)
    assert.isTrue((await client.post('/queues/demo/resume')).json.changed)
  })

  test('streams go on', async ({ assert }) => {
    const stream = await client.stream('/stream?page=dashboard')
    await waitFor('hello', () => stream.named('hello').length > 0)
    await waitFor('numbers', () => stream.named('stats').length > 0)
    assert.equal(stream.named('stats')[0].data.failed.figures[0].value, '–')
    stream.close()
  })
})

test.group('Dashboard | Redis is away', (group) => {
  let redis: PrivateServer
  let client: Client
  let id: string
  let mine: (queue: string) => boolean = () => true

  group.setup(async () => {
    redis = await redisServer({ own: true, appendOnly: true })
    const { host, port } = redis
    const lab = await DashboardLab.open({
      redis: { host, port },
      access: { view: () => true, manage: (_ctx, target) => !target || mine(target.queue) },
    })
    client = lab.client()
    const { json } = await client.post('/jobs', {
      type: 'demo.sleep',
      payload: { ms: 1 },
      options: { delay: '1h' },
    })
    id = json.job.id
    await waitFor('the record', async () => (await client.json(`/jobs/${id}`)).status === 200)
    await redis.halt()
    return async () => {
      await lab.close()
      await redis.stop()
    }
  })

  test('history stays readable, soon, and pages say what is away', async ({ assert }) => {
    for (const path of ['', '/jobs', '/jobs?status=scheduled', `/jobs/${id}`, `/jobs/${id}/logs`]) {
      const asked = stopwatch()
      const { status, json } = await client.json(path)
      assert.equal(status, 200, path)
      assert.isOk(json)
      /** A log without lines has nothing to swap in. */
      assert.include([200, 204], (await client.partial(path)).status, path)
      assert.isBelow(asked(), 2_000, path)
    }
    const { json } = await client.json('')
    assert.isTrue(json.health.redis.away)
    assert.isString(json.health.redis.since)
    assert.equal(json.statistics.scheduled, 1)
    assert.isNull(json.statistics.activeWorkers)
    assert.isNull(json.health.mirror.lag)
    for (const path of ['', '/jobs', `/jobs/${id}`]) {
      const { status, text } = await client.page(path)
      assert.equal(status, 200)
      assert.include(text, 'Redis does not answer', path)
    }
  })

  test('the page of queues stands and says that nothing is known', async ({ assert }) => {
    const page = await client.page('/queues')
    assert.equal(page.status, 200)
    assert.include(page.text, 'Redis does not answer')
    const { status, json } = await client.json('/queues')
    assert.equal(status, 503)
    assert.equal(json.errors[0].code, 'E_REDIS_UNAVAILABLE')
  })

  test('actions fail, saying so, within 3 s', async ({ assert }) => {
    const asked = stopwatch()
    const answers = await Promise.all([
      client.post(`/jobs/${id}/cancel`),
      client.post('/jobs', { type: 'demo.sleep', payload: { ms: 1 } }),
      client.submit(`/jobs/${id}/cancel`),
    ])
    assert.isBelow(asked(), 3_000)
    for (const { status } of answers) assert.equal(status, 503)
    assert.equal(answers[0].json.errors[0].code, 'E_REDIS_UNAVAILABLE')
    assert.match(answers[2].text, /Redis cannot be reached/)
    assert.equal((await client.json(`/jobs/${id}`)).json.status, 'scheduled')
  })

  test('alerts are muted all the same, soon, for those who may, and the audit has it', async ({
    assert,
  }) => {
    for (const subject of ['demo', null]) {
      const asked = stopwatch()
      const { json } = await client.post('/alerts/mutes', { rule: 'noWorker', subject, for: '1h' })
      assert.isBelow(asked(), 2_000)
      assert.equal(json.outcome, 'done')
    }
    const { data } = (await client.json('/audit?action=mute')).json
    assert.deepEqual(
      data.map(({ target, outcome }: any) => [target.id, outcome]),
      [
        ['noWorker', 'done'],
        ['noWorker demo', 'done'],
      ]
    )
    mine = (queue) => queue !== 'demo'
    for (const subject of ['demo', null]) {
      const answer = await client.post('/alerts/mutes', { rule: 'noWorker', subject, for: '1h' })
      assert.equal(answer.status, 403)
    }
    mine = () => true
  })

  test('streams open and tell what they can; all goes on when Redis is back', async ({
    assert,
  }) => {
    const stream = await client.stream('/stream?page=dashboard')
    assert.equal(stream.status, 200)
    await waitFor('hello', () => stream.named('hello').length > 0)
    await redis.start()
    const { json } = await waitFor('actions to work again', async () => {
      const answer = await client.post(`/jobs/${id}/cancel`)
      return answer.status === 200 && answer
    })
    assert.equal(json.outcome, 'done')
    await waitFor('the stream to tell it', () => stream.named('changed').length > 0)
    assert.isFalse((await client.json('')).json.health.redis.away)
    stream.close()
  })

  test('pages do not wait for a Redis that says nothing', async ({ assert, cleanup }) => {
    redis.freeze()
    cleanup(() => redis.thaw())
    const asked = stopwatch()
    assert.equal((await client.json('')).status, 200)
    assert.isBelow(asked(), 4_000)
    assert.isTrue((await client.json('')).json.health.redis.away)
    const dashboard = await client.page('')
    assert.include(dashboard.text, 'Workers cannot be seen now')
    assert.notInclude(dashboard.text, 'No worker is running')
    for (const path of ['', '/jobs', `/jobs/${id}`]) {
      const askedAgain = stopwatch()
      assert.equal((await client.json(path)).status, 200, path)
      assert.include((await client.page(path)).text, 'Redis does not answer', path)
      assert.isBelow(askedAgain(), 1_000, path)
    }
    assert.equal((await client.post(`/jobs/${id}/restart`)).status, 503)
    redis.thaw()
    await waitFor('Redis to be back on pages', async () => {
      const { json } = await client.json('')
      return json.health.redis.away === false
    })
  })

  test('open pages of each kind are told that Redis says nothing, and when it answers again', async ({
    assert,
    cleanup,
  }) => {
    const shown = ['page=jobs&queue=none', 'page=schedules', 'page=queues', `page=job&id=${id}`]
    const streams = await Promise.all(shown.map((page) => client.stream(`/stream?${page}`)))
    cleanup(() => {
      redis.thaw()
      for (const stream of streams) stream.close()
    })
    const told = () => streams.map((stream) => stream.named('changed').length)
    await waitFor('hello', () => streams.every((stream) => stream.named('hello').length > 0))
    // What happened before is told.
    await pause(3_000)
    const before = told()
    const soon = { within: 10_000 }
    redis.freeze()
    const away = 'each page to be told'
    await waitFor(away, () => told().every((count, index) => count > before[index]), soon)
    // The page of one queue cannot be made anew now, and says at least why.
    for (const path of ['/schedules', '/queues/demo']) {
      const { headers } = await client.partial(path, { 'x-queuedeck-refresh': 'page' })
      assert.equal(headers.get('x-queuedeck-away'), 'redis', path)
      assert.include((await client.page(path)).text, 'Redis does not answer', path)
    }
    const then = told()
    redis.thaw()
    await waitFor('the end', () => told().every((count, index) => count > then[index]), soon)
    assert.notInclude((await client.page('/schedules')).text, 'Redis does not answer')
  })
})
