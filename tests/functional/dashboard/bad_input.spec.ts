import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { CLASSES, Echo } from './jobs.ts'
import { DashboardLab, PREFIX } from './lab.ts'

const ID = '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9'
const LONG = 'x'.repeat(10_000)

/** Addresses that nobody can mean, and the statuses that say so. */
const ADDRESSES: [path: string, statuses: number[]][] = [
  ['/jobs/not-a-uuid', [422]],
  ['/jobs/123', [422]],
  ['/jobs/%00', [422]],
  ['/jobs/%E0%A4%A', [400, 404, 422]],
  ['/jobs/%zz', [400, 404, 422]],
  ['/jobs/%zz/logs', [400, 404, 422]],
  ['/monitors/%zz', [400, 404, 422]],
  ['/assets/%zz', [400, 404, 422]],
  ['/%zz', [400, 404, 422]],
  ['/jobs/a%2Fb%20c%23%3F', [422]],
  ['/jobs/%F0%9F%98%80', [422]],
  [`/jobs/${LONG}`, [422]],
  [`/jobs/${ID}x`, [422]],
  [`/jobs/${ID}/nothing`, [404]],
  ['/jobs/not-a-uuid/logs', [422]],
  ['/jobs/not-a-uuid/result', [422]],
  ['/jobs/not-a-uuid/cancel', [422]],
  ['/jobs/not-a-uuid/restart', [422]],
  [`/jobs/${ID}/logs?limit=0`, [422, 404]],
  ['/monitors/not-a-uuid', [422]],
  ['/jobs?status=exploded', [422]],
  ['/jobs?sort=colour', [422]],
  ['/jobs?direction=sideways', [422]],
  ['/jobs?limit=0', [422]],
  ['/jobs?limit=201', [422]],
  ['/jobs?limit=1e3', [422]],
  ['/jobs?limit=-1', [422]],
  ['/jobs?from=bananas', [422]],
  ['/jobs?from=2026-13-45', [422]],
  ['/jobs?from=2026-11-02&to=2026-11-01', [422]],
  ['/jobs?to=999999999999999999999', [422]],
  ['/jobs?from=2026-11-01&tz=Mars%2FOlympus', [422]],
  ['/jobs?colour=red', [422]],
  ['/audit?actor=ada', [422]],
  ['/audit?action=constructor', [422]],
  ['/metrics?from=0100-01-01', [422]],
  ['/metrics?to=9999-12-31', [422]],
  ['/audit?tz[]=UTC', [422]],
  ['/metrics?queues=mails', [422]],
  ['/?page=2', [422]],
  ['/queues?queue=mails', [422]],
  ['/queues/tests?step=hour', [422]],
  ['/workers?host=a', [422]],
  [`/workers/${ID}?step=hour`, [422]],
  ['/schedules?cursor=x', [422]],
  ['/schedules?after=%00', [422]],
  ['/schedules/nightly?limit=5', [422]],
  ['/alerts?limit=5', [422]],
  ['/cleanups?limit=5', [422]],
  [`/bulk/${ID}?page=2`, [422]],
  ['/metrics?__proto__[queue]=x&page=-1', [422]],
  ['/jobs?q=a&q=b', [422]],
  ['/jobs?q[a]=b', [422]],
  ['/jobs?q[a][b][c]=d', [422]],
  ['/jobs?status[]=exploded', [422]],
  ['/jobs?q=%00', [422]],
  ['/jobs?type=%00', [422]],
  [`/jobs?q=${LONG}`, [422]],
  [`/jobs?${'type=a&'.repeat(1_400)}`, [200, 422]],
  [`/jobs?${Array.from({ length: 60 }, (_, index) => `type=a${index}`).join('&')}`, [422]],
  ['/jobs?cursor=bananas', [422]],
  ['/jobs?cursor=cdn1.2~AAAAAA', [422]],
  ['/jobs?cursor=%00', [422]],
  ['/jobs?pin=1', [422]],
  [`/jobs?pin=${Array.from({ length: 250 }, () => ID).join(',')}`, [422]],
  ['/jobs?pin[]=1', [422]],
  ['/stream?page=kitchen', [422]],
  ['/stream?page=job', [422]],
  ['/stream?page=job&id=1', [422]],
  ['/stream?page=jobs&status=exploded', [422]],
  ['/stream?page[]=jobs', [422]],
  ['/stream?page=alerts&queue=a', [422]],
  [`/stream?page=job&id=${ID}&queue=a`, [422]],
  ['/stream?page=jobs&id=1', [422]],
  ['/?range=nonsense', [422]],
  ['/?range=1h&range=24h', [422]],
  ['/queues/tests?range=1y', [422]],
  ['/jobs?__proto__[x]=1', [200, 422]],
  ['/jobs?constructor=1', [200, 422]],
]

/** What cannot become a job. */
const REQUESTS: [body: unknown, message: RegExp][] = [
  [{}, /"type"/],
  [[], /"type"|object/],
  [{ type: 'nope' }, /"nope".*tests\.echo/],
  [{ type: '' }, /"type"/],
  [{ type: 7 }, /"type"/],
  [{ type: 'tests.echo', colour: 'red' }, /"colour" is not known/],
  [{ type: 'tests.echo', options: { colour: 'red' } }, /"options\.colour" is not known/],
  [{ type: 'tests.echo', options: 'fast' }, /"options" must be an object/],
  [{ type: 'tests.echo', options: null }, /"options" must be an object/],
  [{ type: 'tests.echo', options: [] }, /"options" must be an object/],
  [{ type: 'tests.echo', options: { unique: 'u1' } }, /unique/],
  [{ type: 'tests.echo', options: { unique: { key: '' } } }, /unique/],
  [{ type: 'tests.echo', options: { unique: { key: 'k', until: 'noon' } } }, /noon/],
  [{ type: 'tests.echo', options: { delay: '5 bananas' } }, /5 bananas/],
  [{ type: 'tests.echo', options: { queue: { toString: 1 } } }, /"queue" must be text, not object/],
  [{ type: 'tests.echo', options: { user: { toString: 1 } } }, /"user" must be text, not object/],
  [{ type: 'tests.echo', options: { timeout: '-1s' } }, /-1s/],
  [{ type: 'tests.echo', options: { delay: {} } }, /delay/],
  [{ type: 'tests.echo', options: { attempts: 0 } }, /attempts/],
  [{ type: 'tests.echo', options: { attempts: 'many' } }, /attempts/],
  [{ type: 'tests.echo', options: { priority: -1 } }, /priority/],
  [{ type: 'tests.echo', options: { priority: 1.5 } }, /priority/],
  [{ type: 'tests.echo', options: { queue: '' } }, /queue/i],
  [{ type: 'tests.echo', options: { queue: 'a:b' } }, /a:b/],
  [{ type: 'tests.echo', options: { queue: ' ' } }, /spaces alone/],
  [{ type: 'tests.echo', options: { queue: 7 } }, /queue/i],
  [{ type: 'tests.echo', options: { queue: 'x'.repeat(300) } }, /queue/i],
  [{ type: 'tests.echo', options: { tags: 'one' } }, /tags/],
  [{ type: 'tests.echo', options: { tags: [7] } }, /tag/],
  [{ type: 'tests.echo', options: { user: {} } }, /user|by/],
  [
    { type: 'tests.echo', options: { user: 1.5 } },
    /"user" must be text, not number 1\.5: write "1\.5"/,
  ],
  [{ type: 'tests.echo', options: { user: null } }, /"user" must be text, not null/],
  [JSON.parse('{"type":"tests.echo","__proto__":{}}'), /"__proto__" is not known/],
  [
    JSON.parse('{"type":"tests.echo","options":{"__proto__":{"priority":5}}}'),
    /"options\.__proto__" is not known/,
  ],
]

test.group('Dashboard | bad input', (group) => {
  let lab: DashboardLab
  let id: string

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    id = await lab.dispatch(Echo)
    return () => lab.close()
  })

  test('an address that cannot be meant is explained, never a failure', async ({ assert }) => {
    const client = lab.client()
    for (const [path, statuses] of ADDRESSES) {
      const shown = path.slice(0, 80)
      const answer = await client.json(path)
      assert.include(statuses, answer.status, `JSON ${shown}: ${answer.text.slice(0, 300)}`)
      /** Percent signs that mean nothing are refused by the framework, before anything of ours. */
      if (answer.status !== 200 && !path.includes('%zz') && !path.includes('%A4')) {
        const [error] = answer.json.errors
        assert.isAbove(error.message.length, 10, shown)
        assert.isBelow(error.message.length, 600, shown)
        assert.isUndefined(error.stack)
      }
      if (path.startsWith('/stream')) continue
      assert.include(statuses, (await client.page(path)).status, `page ${shown}`)
      assert.include(statuses, (await client.partial(path)).status, `partial ${shown}`)
    }
    assert.notMatch(lab.logged.join('\n'), /a request failed/)
  })

  test('an object that cannot be made text is refused like any other value', async ({ assert }) => {
    const client = lab.client()
    const value = { toString: 1 }
    for (const [path, body] of [
      ['/bulk', { action: value, ids: [id] }],
      ['/bulk', { action: 'cancel', ids: [value] }],
      ['/queues/tests/drain', { scheduled: value }],
      ['/schedules', { name: 'x', type: 'tests.echo', every: '1h', overlap: value }],
      [`/jobs/${id}/priority`, { priority: value }],
    ] as const) {
      const { status, json } = await client.post(path, body)
      assert.equal(status, 422, path)
      assert.include(json.errors[0].message, '"an object"', path)
    }
  })

  test('whatever an address or an action does not know is refused, wherever it stands', async ({
    assert,
  }) => {
    const client = lab.client()
    const token = (await client.token())!
    const headers = { 'x-csrf-token': token }
    const schedule = await client.post('/schedules', {
      ...{ name: 'strangers', type: 'tests.echo', every: '30d' },
    })
    const { root } = (await lab.app.container.make('router')).toJSON()
    let actions = 0
    for (const { pattern, methods } of root) {
      if (!pattern.startsWith(PREFIX) || /\/\*$|\/assets\//.test(pattern)) continue
      const own = pattern.includes('/schedules/') ? schedule.json.schedule.id : id
      const path = pattern.slice(PREFIX.length).replace(':id', own).replace(':name', 'tests')
      const method = methods[0] === 'HEAD' ? methods[1] : methods[0]
      const accept = 'application/json'
      const asked = [await client.ask(method, `${path}?strange=1`, { accept, headers })]
      if (method !== 'GET') {
        actions++
        asked.push(await client.ask(method, path, { accept, headers, body: { strange: 1 } }))
        asked.push(await client.ask(method, path, { accept, headers, form: { strange: '1' } }))
      }
      for (const { status, text } of asked) {
        assert.equal(status, 422, `${method} ${path}: ${text.slice(0, 300)}`)
        assert.match(JSON.parse(text).errors[0].message, /"strange"/, `${method} ${path}`)
      }
    }
    assert.isAbove(actions, 35)
    assert.equal((await lab.record(id)).status, 'pending')
  })

  test('a page that refuses leads on from where somebody was', async ({ assert }) => {
    const client = lab.client()
    const way = async (asked: Promise<{ text: string }>) =>
      /href="([^"]*)" id="error-action"/.exec((await asked).text)?.[1].replaceAll('&amp;', '&')
    assert.equal(
      await way(client.page('/jobs?status=failed&type=a%2Fb&from=2026-11-02&to=2026-11-01')),
      `${PREFIX}/jobs?status=failed&type=a%2Fb&from=2026-11-02`
    )
    assert.equal(await way(client.page('/?range=1y')), `${PREFIX}/`)
    assert.include((await client.page('/jobs?q=status%3Afailed')).text, 'value="status:failed"')
    assert.equal(await way(client.page('/schedules/gone')), `${PREFIX}/schedules`)
    const referer = `${lab.url}${PREFIX}/queues/tests?range=1h`
    const limit = (from: string) =>
      client.submit('/queues/tests/limits', { limit: 'x' }, { referer: from })
    assert.equal(await way(limit(referer)), `${PREFIX}/queues/tests?range=1h`)
    assert.equal(await way(limit('https://evil.example/admin/queue')), `${PREFIX}/queues`)
  })

  test('a body that nobody reads begins nothing', async ({ assert }) => {
    const client = lab.client()
    const headers = { 'x-csrf-token': (await client.token())!, 'cookie': client.cookies() }
    for (const type of ['text/plain', 'application/xml', 'application/octet-stream']) {
      const { status, text } = await client.ask('POST', '/cleanups', {
        accept: 'application/json',
        headers: { ...headers, 'content-type': type },
        body: { dryRun: true },
      })
      assert.equal(status, 415, type)
      assert.include(JSON.parse(text).errors[0].message, type)
    }
    const { data } = (await client.json('/cleanups')).json
    assert.lengthOf(
      data.filter(({ trigger }: { trigger: string }) => trigger !== 'start'),
      0
    )
  })

  test('names value and remedy', async ({ assert }) => {
    const { json } = await lab.client().json('/jobs?status=exploded')
    assert.deepEqual(Object.keys(json.errors[0]).sort(), ['code', 'field', 'message'])
    assert.equal(json.errors[0].field, 'status')
    assert.match(json.errors[0].message, /"exploded".*completed/)
  })

  test('a cursor of another list is refused', async ({ assert }) => {
    const client = lab.client()
    await lab.dispatch(Echo)
    const { next } = (await client.json('/jobs?limit=1')).json.page
    for (const cursor of [
      `${next}x`,
      next.slice(0, -1),
      next.replace(/\d/, '9'),
      `${next}&sort=status`,
    ]) {
      assert.equal((await client.json(`/jobs?limit=1&cursor=${cursor}`)).status, 422, cursor)
    }
  })

  test('what cannot become a job is refused and nothing is enqueued', async ({ assert }) => {
    const client = lab.client()
    const transport = await lab.app.container.make('queuedeck.transport')
    const held = async () => {
      const depths = await transport.depths(await transport.queueNames())
      return Object.values(depths).reduce((sum, { pending }) => sum + pending, 0)
    }
    const before = (await client.json('')).json.statistics.total
    const heldBefore = await held()
    for (const [body, message] of REQUESTS) {
      const { status, json } = await client.post('/jobs', body)
      const shown = JSON.stringify(body).slice(0, 80)
      assert.equal(status, 422, `${shown}: ${JSON.stringify(json)}`)
      assert.match(json.errors[0].message, message, shown)
    }
    const large = { type: 'tests.echo', payload: 'y'.repeat(1_100_000) }
    assert.include([413, 422], (await client.post('/jobs', large)).status)
    assert.equal(await held(), heldBefore)
    assert.equal((await client.json('')).json.statistics.total, before)
  })

  test('a body that is no JSON is refused', async ({ assert }) => {
    const client = lab.client()
    const token = await client.token()
    const response = await fetch(client.address('/jobs'), {
      method: 'POST',
      headers: {
        'accept': 'application/json',
        'content-type': 'application/json',
        'x-csrf-token': token ?? '',
        'cookie': client.cookies(),
      },
      body: '{"type":',
    })
    assert.include([400, 422], response.status)
  })

  test('actions on what is not there are 404 or 422', async ({ assert }) => {
    const client = lab.client()
    for (const action of ['cancel', 'restart']) {
      assert.equal((await client.post(`/jobs/${randomUUID()}/${action}`)).status, 404)
      assert.equal((await client.post(`/jobs/nothing/${action}`)).status, 422)
      assert.equal((await client.submit(`/jobs/${randomUUID()}/${action}`)).status, 404)
    }
    const tooLong = await client.post(`/jobs/${id}/cancel`, { reason: LONG })
    assert.equal(tooLong.status, 422)
    const noText = await client.post(`/jobs/${id}/cancel`, { reason: { a: 1 } })
    assert.equal(noText.status, 422)
    assert.equal((await lab.record(id)).status, 'pending')
  })

  test('other methods answer 405 with those that there are', async ({ assert }) => {
    const client = lab.client()
    const token = (await client.token()) ?? ''
    for (const [method, path, allowed] of [
      ['PUT', `/jobs/${id}`, 'GET, HEAD, PATCH, DELETE'],
      ['OPTIONS', '/jobs', 'GET, HEAD, POST'],
      ['DELETE', `/jobs/${id}/cancel`, 'GET, HEAD, POST'],
      ['GET', '/bulk', 'POST'],
    ]) {
      const options = { accept: 'application/json', headers: { 'x-csrf-token': token } }
      const answer = await client.ask(method, path, options)
      assert.equal(answer.status, 405, method)
      assert.equal(answer.headers.get('allow'), allowed)
      assert.equal(answer.json.errors[0].code, 'E_METHOD_NOT_ALLOWED')
    }
  })

  test('preferences that are none are refused, good ones are kept', async ({ assert }) => {
    const client = lab.client()
    for (const fields of [{ theme: 'pink' }, { density: '7' }, { zone: 'Mars/Olympus' }]) {
      assert.equal((await client.submit('/preferences', fields as never)).status, 422)
    }
    const { status, headers } = await client.submit('/preferences', {
      theme: 'dark',
      zone: 'Asia/Kolkata',
    })
    assert.equal(status, 303)
    assert.equal(headers.get('location'), '/admin/queue')
    const { text } = await client.page('')
    assert.match(text, /data-theme="dark"|class="[^"]*dark/)
    assert.include(text, 'Asia/Kolkata')
  })

  test('every address that answers a page answers JSON, and a question for its head', async ({
    assert,
  }) => {
    const client = lab.client()
    const schedule = await client.post('/schedules', {
      ...{ name: 'asked', type: 'tests.echo', every: '30d', payload: { password: 'p-1', n: 1 } },
    })
    const { root } = (await lab.app.container.make('router')).toJSON()
    for (const { pattern, methods } of root) {
      if (!pattern.startsWith(PREFIX) || !methods.includes('GET')) continue
      if (/\/\*$|\/assets\/|stream/.test(pattern)) continue
      const own = pattern.includes('/schedules/') ? schedule.json.schedule.id : id
      const path = pattern.slice(PREFIX.length).replace(':id', own).replace(':name', 'tests')
      const { status, headers, json, text } = await client.json(path)
      assert.match(headers.get('content-type')!, /^application\/json/, path)
      assert.isObject(json, path)
      assert.notInclude(text, 'p-1')
      const head = await client.ask('HEAD', path, { accept: 'application/json' })
      assert.deepInclude(head, { status, text: '' }, path)
    }
    const edit = (await client.json(`/jobs/${id}/edit-and-run`)).json
    assert.deepEqual(edit.payload, {})
    const { fields } = (await client.json(`/schedules/${schedule.json.schedule.id}/edit`)).json
    assert.include(fields, { every: '2592000000ms', name: 'asked' })
  })

  test('a referer elsewhere leads nowhere else', async ({ assert }) => {
    const { headers } = await lab
      .client()
      .submit('/preferences', { theme: 'light' }, { referer: 'https://evil.example/admin/queue' })
    assert.equal(headers.get('location'), '/admin/queue')
  })
})
