import { test } from '@japa/runner'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { Job, type JobOptions } from '#queuedeck'
import { withBrowser, newPage, closeBrowser } from '#tests/helpers/browser'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo } from './jobs.ts'
import { DashboardLab } from './lab.ts'

const MARKUP = `<img src=x onerror=document.title=1>"'{{ 7*7 }}</script><script>document.title=2</script>`

/** Everything that code can say, said in markup. */
class Hostile extends Job<Record<string, unknown>, unknown> {
  static options: JobOptions = { name: MARKUP, queue: 'tests' }

  async execute() {
    this.log.info(MARKUP)
    await this.progress(50, { stage: MARKUP, done: 1, total: 2, unit: MARKUP })
    if (this.payload.fail) {
      const error = Object.assign(new Error(MARKUP), { code: 'E_<b>' })
      error.stack = `Error: ${MARKUP}\n at ${MARKUP}`
      throw error
    }
    return { [MARKUP]: MARKUP }
  }
}

async function hostileJobs(lab: DashboardLab) {
  const options = { user: MARKUP, tags: [MARKUP] }
  const failed = await lab.dispatch(Hostile, { fail: true, [MARKUP]: MARKUP }, options)
  const done = await lab.dispatch(Hostile, { [MARKUP]: [MARKUP] }, options)
  await lab.record(failed, 'failed')
  await lab.record(done, 'completed')
  return { failed, done }
}

test.group('Hostile text', (group) => {
  let lab: DashboardLab
  let failed: string
  let done: string

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [...CLASSES, Hostile] })
    await lab.work()
    const jobs = await hostileJobs(lab)
    failed = jobs.failed
    done = jobs.done
    return () => lab.close()
  })

  test('is text in every answer', async ({ assert }) => {
    const client = lab.client()
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const monitor = (await dashboard.monitor(failed, MARKUP))!
    const filter = encodeURIComponent(MARKUP)
    const paths = [
      '',
      '/jobs',
      `/jobs/${failed}`,
      `/jobs/${done}`,
      `/jobs/${failed}/cancel`,
      `/jobs/${failed}/restart`,
      `/jobs?q=${filter}`,
      `/jobs?type=${filter}&user=${filter}&tag=${filter}&queue=${filter}`,
      `/jobs?status=${filter}`,
      `/jobs?sort=${filter}`,
      `/jobs/${filter}`,
      `/${filter}`,
      monitor.urls.html,
    ]
    for (const path of paths) {
      for (const { text, status } of [await client.page(path), await client.partial(path)]) {
        assert.notInclude(text, '<img src=x', path)
        assert.notInclude(text, '<script>document', path)
        assert.notMatch(text, /(?:'|#39;|#x27;|&quot;)49/, path)
        assert.notEqual(status, 500, lab.logged.at(-1))
      }
    }
    const { text } = await client.page(`/jobs/${failed}`)
    assert.include(text, '{{ 7*7 }}')
    assert.include(text, '&lt;img src=x onerror=document.title=1&gt;')
    const { json } = await client.json(`/jobs/${failed}`)
    assert.equal(json.error.message, MARKUP)
    assert.equal(json.type, MARKUP)
  })

  test('breaks no stream', async ({ assert }) => {
    const stream = await lab.client().stream('/stream?page=jobs')
    await waitFor('hello', () => stream.named('hello').length)
    const id = await lab.dispatch(Hostile, { fail: true, text: 'a\n\nevent: hello\ndata: 1\r\n' })
    await waitFor('the notice', () => stream.named('notice').some(({ data }) => data.id === id))
    assert.lengthOf(stream.named('hello'), 1)
    stream.close()
  })
})

withBrowser(() => {
  test.group('Hostile text | browser', (group) => {
    group.teardown(() => closeBrowser())

    test('runs nothing and breaks no policy', async ({ assert }) => {
      const lab = await DashboardLab.open({ classes: [...CLASSES, Hostile] })
      const { page, problems, close } = await newPage()
      try {
        await lab.work()
        const { failed } = await hostileJobs(lab)
        for (const path of ['', '/jobs', `/jobs/${failed}`, `/jobs/${failed}/restart`]) {
          await page.goto(`${lab.url}/admin/queue${path}`)
          await page.locator('body').waitFor()
          assert.notInclude(['1', '2'], await page.title())
          assert.equal(await page.locator('img[src="x"]').count(), 0)
        }
        await page.goto(`${lab.url}/admin/queue/jobs`)
        await lab.dispatch(Hostile, { fail: true })
        await page.locator('tbody tr').nth(2).waitFor()
        assert.notInclude(['1', '2'], await page.title())
        assert.deepEqual(problems, [])
      } finally {
        await close()
        await lab.close()
      }
    })
  })
})

test.group('Secrets', (group) => {
  let lab: DashboardLab
  let id: string
  let hidden: string
  const PAYLOAD = {
    user: { password: 'p-111', list: [{ apiKey: 'k-222' }] },
    Authorization: 'Bearer t-333',
    pin: 'n-444',
  }
  const SECRETS = ['p-111', 'k-222', 't-333', 'n-444']
  const seen: unknown[] = []

  class Telling extends Job<typeof PAYLOAD, unknown> {
    static options: JobOptions = { name: 'tests.telling', queue: 'tests' }

    async execute() {
      seen.push(this.payload)
      this.log.info(JSON.stringify(this.payload))
      this.log.info('%s', `password=p-111 and ${JSON.stringify(JSON.stringify(this.payload))}`)
      await this.progress(10, { stage: 'with p-111' })
      throw new Error('login with p-111 refused, k-222 and t-333 and n-444 too')
    }
  }

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [...CLASSES, Telling], redact: ['pin'] })
    await lab.work()
    id = await lab.dispatch(Telling, PAYLOAD)
    hidden = await lab.dispatch(Telling, PAYLOAD, { sensitive: true })
    await lab.record(id, 'failed')
    await lab.record(hidden, 'failed')
    return () => lab.close()
  })

  test('below the root, in logs, errors and stages are nowhere', async ({ assert }) => {
    const client = lab.client()
    const stream = await client.stream('/stream?page=jobs')
    const monitor = (await (await lab.app.container.make('queuedeck.dashboard')).monitor(id, null))!
    for (const job of [id, hidden]) {
      const paths = [
        '',
        '/jobs',
        `/jobs?q=${job}`,
        `/jobs/${job}`,
        `/jobs/${job}/logs`,
        `/jobs/${job}/result`,
        `/jobs/${job}/cancel`,
        `/jobs/${job}/restart`,
        monitor.urls.html,
        monitor.urls.state,
      ]
      for (const path of paths) {
        const answers = [
          await client.page(path),
          await client.partial(path),
          await client.json(path),
        ]
        for (const { text } of answers) {
          for (const secret of SECRETS) assert.notInclude(text, secret, path)
        }
      }
    }
    const restarted = await client.post(`/jobs/${id}/restart`)
    assert.equal(restarted.json.outcome, 'done')
    await lab.record(id, 'failed')
    await waitFor('the stream', () => stream.named('changed').length)
    for (const secret of SECRETS) {
      assert.notInclude(stream.text, secret)
      assert.notInclude(restarted.text, secret)
    }
    stream.close()
  })

  test('are found by no search', async ({ assert }) => {
    for (const secret of SECRETS) {
      const { data } = (await lab.client().json(`/jobs?q=${secret}`)).json
      assert.deepEqual(data, [])
    }
  })

  test('reach the worker as they are, also after a restart', async ({ assert }) => {
    await waitFor('three runs', () => seen.length >= 3)
    for (const payload of seen) assert.deepEqual(payload, PAYLOAD as never)
  })
})

test.group('What other producers write', (group) => {
  let lab: DashboardLab
  let redis: Redis
  let prefix: string
  const QUEUE = 'reports/a b#1?x=%2F..\\ü'
  const ENCODED = 'reports%2Fa%20b%231%3Fx%3D%252F..%5C%C3%BC'

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    const server = await redisServer()
    redis = new Redis(server.url, { maxRetriesPerRequest: null })
    prefix = (await lab.app.container.make('queuedeck.config')).prefix
    return async () => {
      redis.disconnect()
      await lab.close()
    }
  })

  async function add(queueName: string, data: string) {
    const queue = new Queue(queueName, { connection: redis as never, prefix })
    const job = await queue.add('foreign type/ü', { placeholder: 1 })
    await redis.hset(`${prefix}:${queueName}:${job.id}`, 'data', data)
    await queue.close()
    return job.id!
  }

  test('names of any letters lead from page to page', async ({ assert }) => {
    const transport = await lab.app.container.make('queuedeck.transport')
    await transport.registerQueues([QUEUE])
    await add(QUEUE, '{"a":1}')
    const client = lab.client()
    const row = await waitFor('the record', async () => {
      const { data } = (await client.json(`/jobs?queue=${ENCODED}`)).json
      return data[0]
    })
    assert.equal(row.queue, QUEUE)
    assert.match(row.id, /^[0-9a-f]{8}-[0-9a-f]{4}-5/)
    const list = await client.page('/jobs')
    assert.include(list.text, ENCODED)
    const filtered = await client.page(`/jobs?queue=${ENCODED}`)
    assert.equal(filtered.status, 200)
    assert.include(filtered.text, row.id)
    assert.equal((await client.page(`/jobs/${row.id}`)).status, 200)
    const stream = await client.stream(`/stream?page=jobs&queue=${ENCODED}`)
    await waitFor('hello', () => stream.named('hello').length)
    await add(QUEUE, '{"a":2}')
    await waitFor('changed', () => stream.named('changed').length)
    stream.close()
    const cancelled = await client.post(`/jobs/${row.id}/cancel`)
    assert.equal(cancelled.json.outcome, 'done', cancelled.text)
    assert.equal((await client.json(`/jobs/${row.id}`)).json.status, 'cancelled')
  })

  test('whole numbers above 2^53 keep their digits', async ({ assert }) => {
    const transport = await lab.app.container.make('queuedeck.transport')
    await transport.registerQueues(['digits'])
    const queue = new Queue('digits', { connection: redis as never, prefix })
    // As a producer in another language writes it: the digits are never a number of JavaScript.
    const script = 'return redis.call("hset", KEYS[1], "data", ARGV[1])'
    const job = await queue.add('numbers', {}, { delay: 3_600_000 })
    await redis.eval(script, 1, `${prefix}:digits:${job.id}`, '{"rowId":1970670598291982291}')
    await queue.close()
    const client = lab.client()
    const row = await waitFor(
      'the record',
      async () => (await client.json('/jobs?queue=digits')).json.data[0]
    )
    const details = await waitFor('the payload', async () => {
      const answer = await client.json(`/jobs/${row.id}`)
      return answer.text.includes('rowId') ? answer : null
    })
    assert.include(details.text, '{"rowId":1970670598291982291}')
    const page = await client.page(`/jobs/${row.id}`)
    assert.include(page.text, '1970670598291982291')
    assert.notInclude(page.text, '1970670598291982300')
    assert.isNumber(row.maxAttempts)
  })

  test('Echo is not disturbed', async ({ assert }) => {
    const id = await lab.dispatch(Echo, {}, { delay: '1h' })
    assert.equal((await lab.record(id)).status, 'scheduled')
  })
})
