import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from '@japa/runner'
import { CLASSES, Echo, Fail } from './jobs.ts'
import { DashboardLab, PREFIX } from './lab.ts'

const TYPES: Record<string, RegExp> = { js: /javascript/, css: /css/, svg: /^image\/svg/ }

test.group('Dashboard | pages, partials and JSON', (group) => {
  let lab: DashboardLab
  let failed: string
  let done: string

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    await lab.work()
    done = await lab.dispatch(Echo, { hello: 'world' }, { user: 'ada', tags: ['first'] })
    failed = await lab.dispatch(Fail, { message: 'no luck' })
    await lab.record(done, 'completed')
    await lab.record(failed, 'failed')
    return () => lab.close()
  })

  test('GET {path} answers a page')
    .with([
      { path: '', holds: /id="dashboard"/ },
      { path: '/jobs', holds: /id="jobs"/ },
      { path: '/jobs?status=failed&sort=duration', holds: /no luck/ },
      { path: '/jobs/:id', holds: /no luck/ },
      { path: '/jobs/:id/cancel', holds: /failed/ },
      { path: '/jobs/:id/restart', holds: /<form[^>]*method="post"/i },
    ])
    .run(async ({ assert }, { path, holds }) => {
      const { status, headers, text } = await lab.client().page(path.replace(':id', failed))
      assert.equal(status, 200, lab.logged.at(-1) ?? text.slice(0, 500))
      assert.match(headers.get('content-type')!, /^text\/html/)
      assert.match(text, /^\s*<!doctype html>/i)
      assert.match(text, holds)
      assert.match(headers.get('cache-control')!, /no-store/)
      assert.include(headers.get('vary')!.toLowerCase(), 'hx-request')
      assert.notInclude(text, 'undefined')
      assert.notInclude(text, '@!')
      assert.notMatch(text, /\sstyle="|\son\w+="|<script>(?!<)/)
    })

  test('the page of a job leads to the newer and the older one', async ({ assert }) => {
    const client = lab.client()
    const leads = async (from: string, to: string, name: string) =>
      assert.include(
        (await client.page(`/jobs/${from}`)).text,
        `href="${PREFIX}/jobs/${to}" id="job-${name}"`
      )
    await leads(failed, done, 'older')
    await leads(done, failed, 'newer')
  })

  test('GET {path} answers a fragment to htmx')
    .with([
      { path: '', holds: /id="dashboard"/ },
      { path: '/jobs', holds: /id="jobs"/ },
      { path: '/jobs/:id', holds: /no luck/ },
      { path: '/jobs/:id/logs', holds: /no luck/ },
      { path: '/jobs/:id/cancel', holds: /Cancel this job/ },
      { path: '/jobs/:id/restart', holds: /Restart this job/ },
    ])
    .run(async ({ assert }, { path, holds }) => {
      const { status, text } = await lab.client().partial(path.replace(':id', failed))
      assert.equal(status, 200, lab.logged.at(-1) ?? text.slice(0, 500))
      assert.notMatch(text, /<html|<head\b/i)
      assert.match(text, holds)
      assert.notInclude(text, 'undefined')
      assert.notInclude(text, '@!')
    })

  test('answers the whole page where htmx asks for it', async ({ assert }) => {
    const { text } = await lab.client().partial(`/jobs/${failed}`, { 'hx-request-type': 'full' })
    assert.match(text, /<html/i)
  })

  test('GET / as JSON has every number', async ({ assert }) => {
    const { json } = await lab.client().json('')
    assert.containsSubset(json.statistics, {
      pending: 0,
      running: 0,
      scheduled: 0,
      blocked: 0,
      completed: 1,
      failed: 1,
      cancelled: 0,
      inQueue: 0,
      total: 2,
      activeWorkers: 1,
    })
    assert.properties(json.health, ['cpu', 'memory', 'redis', 'database', 'mirror'])
    assert.isNumber(json.health.mirror.lag)
    assert.deepEqual(json.alerts, [])
    assert.properties(json.cleanup, ['last', 'next'])
    assert.isArray(json.running)
  })

  test('GET /jobs as JSON filters, sorts and pages', async ({ assert }) => {
    const client = lab.client()
    const all = (await client.json('/jobs?limit=1')).json
    assert.lengthOf(all.data, 1)
    assert.equal(all.data[0].id, failed)
    assert.deepInclude(all.page, { count: 2, capped: false, previous: null })
    const next = (await client.json(`/jobs?limit=1&cursor=${encodeURIComponent(all.page.next)}`))
      .json
    assert.equal(next.data[0].id, done)
    assert.isNull(next.page.next)
    const back = (
      await client.json(`/jobs?limit=1&cursor=${encodeURIComponent(next.page.previous)}`)
    ).json
    assert.equal(back.data[0].id, failed)

    for (const filter of [
      'status=completed',
      'type=tests.echo',
      'user=ada',
      'tag=first',
      `q=${done.slice(0, 30)}`,
    ]) {
      const { data } = (await client.json(`/jobs?${filter}`)).json
      assert.deepEqual(
        data.map(({ id }: { id: string }) => id),
        [done],
        filter
      )
    }
    assert.match(all.data[0].createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepInclude(all.data[0].error, { message: 'no luck' })
    assert.isNumber(all.data[0].duration)
  })

  test('GET /jobs/:id, its log and its result as JSON', async ({ assert }) => {
    const client = lab.client()
    const job = (await client.json(`/jobs/${done}`)).json
    assert.deepInclude(job, {
      id: done,
      type: 'tests.echo',
      queue: 'tests',
      status: 'completed',
      run: 1,
      user: 'ada',
    })
    assert.deepEqual(job.payload, { hello: 'world' })
    assert.deepEqual(job.result, { hello: 'world' })
    assert.lengthOf(job.attempts, 1)
    assert.deepInclude(job.attempts[0], { run: 1, attempt: 1, error: null })
    const kinds = job.events.map(({ kind }: { kind: string }) => kind)
    assert.includeMembers(kinds, ['added', 'running', 'completed'])
    assert.equal(kinds.at(-1), 'completed')
    assert.deepEqual(job.runs, [])
    const { data } = (await client.json(`/jobs/${failed}/logs`)).json
    assert.deepEqual(
      data.map(({ line }: { line: string }) => line),
      ['no luck']
    )
    assert.deepEqual((await client.json(`/jobs/${done}/result`)).json, {
      status: 'completed',
      result: { hello: 'world' },
    })
    const fail = (await client.json(`/jobs/${failed}`)).json
    assert.match(fail.attempts[0].error.stack, /no luck/)
  })

  test('every field of a job is documented', async ({ assert }) => {
    const document = await readFile(new URL('../../../docs/json.md', import.meta.url), 'utf8')
    const client = lab.client()
    const { data, page } = (await client.json('/jobs')).json
    const job = (await client.json(`/jobs/${failed}`)).json
    const dashboard = (await client.json('')).json
    const logs = (await client.json(`/jobs/${failed}/logs`)).json
    for (const part of [data[0], page, job, dashboard, logs.data[0]]) {
      for (const field of Object.keys(part)) assert.match(document, new RegExp(`\\b${field}\\b`))
    }
  })

  test('POST /jobs creates a job of a registered type', async ({ assert }) => {
    const client = lab.client()
    const { status, headers, json } = await client.post('/jobs', {
      type: 'tests.echo',
      payload: { n: 1 },
      options: {
        queue: 'other',
        priority: 3,
        user: 7,
        tags: ['a', 'b'],
        attempts: 2,
        timeout: '5m',
      },
    })
    assert.equal(status, 201)
    assert.deepInclude(json.job, {
      type: 'tests.echo',
      queue: 'other',
      priority: 3,
      user: '7',
      tags: ['a', 'b'],
    })
    assert.equal(json.job.maxAttempts, 2)
    assert.equal(headers.get('location'), `${PREFIX}/jobs/${json.job.id}`)
    assert.deepEqual((await lab.record(json.job.id)).payload, '{"n":1}')
  })

  test('payload and options keep spaces, payloads empty texts, digits and every name, however they are sent as JSON', async ({
    assert,
  }) => {
    const client = lab.client()
    const { rawJSON } = JSON as unknown as { rawJSON(text: string): object }
    const id = rawJSON('1970670598291982291')
    const odd = JSON.parse('{"__proto__":{"constructor":{"prototype":" "}}}')
    const payload = { delimiter: '\n\n', empty: '', id, list: [' a ', { id }, odd], ...odd }
    const written = JSON.stringify(payload)
    const made = (await client.post('/jobs', { type: 'tests.echo', payload })).json.job
    assert.equal((await lab.record(made.id, 'completed')).payload, written)
    const again = await client.post(`/jobs/${made.id}/run-again`, { payload })
    assert.equal((await lab.record(again.json.job.id)).payload, written)
    const options = { user: ' 7 ', tags: [' a', 'a '], queue: 'tests ' }
    const spaced = (await client.post('/jobs', { type: 'tests.echo', payload: {}, options })).json
    assert.deepInclude(spaced.job, options)
    const when = { cron: '0 6 1 1 *', zone: 'UTC' }
    const schedule = { name: 'as written', type: 'tests.echo', payload, ...when }
    assert.include((await client.post('/schedules', schedule)).text, `"payload":${written}`)
  })

  test('a delayed job is scheduled', async ({ assert }) => {
    const { json } = await lab
      .client()
      .post('/jobs', { type: 'tests.echo', payload: {}, options: { delay: '60d' } })
    const record = await lab.record(json.job.id, 'scheduled')
    // The producer's clock sets the one, Redis' clock the other.
    assert.closeTo(record.dueAt! - record.createdAt, 5_184_000_000, 1_000)
  })

  test('cleans the address that htmx keeps', async ({ assert }) => {
    const client = lab.client()
    const { headers } = await client.partial('/jobs?q=&status=failed&from=&to=&sort=')
    assert.equal(headers.get('hx-push-url'), `${PREFIX}/jobs?status=failed`)
    const refresh = await client.partial('/jobs?status=failed', { 'x-queuedeck-refresh': 'jobs' })
    assert.isNull(refresh.headers.get('hx-push-url'))
  })

  test('a refresh with pins answers exactly those rows', async ({ assert }) => {
    const { status, text } = await lab
      .client()
      .partial(`/jobs?pin=${done}`, { 'x-queuedeck-refresh': 'jobs' })
    assert.equal(status, 200)
    assert.include(text, done)
    assert.notInclude(text, `/jobs/${failed}`)
    assert.match(text, /\d+ new/)
  })

  test('an unknown job or address is 404 as page, fragment and JSON', async ({ assert }) => {
    const client = lab.client()
    for (const path of [`/jobs/${randomUUID()}`, '/nothing/here', `/jobs/${randomUUID()}/logs`]) {
      const page = await client.page(path)
      assert.equal(page.status, 404, path)
      assert.match(page.text, /<html/i)
      assert.equal((await client.partial(path)).status, 404)
      const { status, json } = await client.json(path)
      assert.equal(status, 404)
      assert.isString(json.errors[0].code)
      assert.isString(json.errors[0].message)
    }
  })
})

test.group('Dashboard | files', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open()
    return () => lab.close()
  })

  test('are named by their content and kept for ever', async ({ assert }) => {
    const client = lab.client()
    const { text } = await client.page('/jobs')
    const paths = [...text.matchAll(/(?:src|href)="([^"]*\/assets\/[^"]+)"/g)].map(
      ([, path]) => path
    )
    assert.isAtLeast(paths.length, 4)
    for (const path of paths) {
      assert.match(path, /-[\w-]{12}\.(js|css|svg)$/)
      const { status, headers, text: body } = await client.ask('GET', path)
      assert.equal(status, 200)
      assert.match(headers.get('content-type')!, TYPES[path.split('.').at(-1)!])
      assert.include(headers.get('cache-control')!, 'immutable')
      assert.isAbove(body.length, 100)
    }
    assert.equal((await client.ask('GET', '/assets/queuedeck-000000000000.css')).status, 404)
    assert.equal((await client.ask('GET', '/assets/..%2F..%2Fpackage.json')).status, 404)
  })

  test('nothing on a page points to another host', async ({ assert }) => {
    for (const path of ['', '/jobs']) {
      const { text } = await lab.client().page(path)
      assert.notMatch(text, /(?:src|href|action)="(?:https?:)?\/\//)
    }
  })
})
