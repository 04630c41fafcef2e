import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Walk } from './jobs.ts'
import { HTML, type Client } from './client.ts'
import { DashboardLab, type LabOptions } from './lab.ts'

const SECRET = 'nobody-may-read-this'

const READ = [
  '',
  '/',
  '/jobs',
  '/jobs?status=completed',
  '/jobs/:id',
  '/jobs/:id/logs',
  '/jobs/:id/result',
  '/jobs/:id/cancel',
  '/jobs/:id/restart',
  '/queues/tests/pause',
  '/queues/tests/resume',
  '/queues/tests/drain',
  '/queues/tests/limits',
  '/workers',
  '/workers/some-host:1:00000000',
  '/workers/some-host:1:00000000/stop',
  '/queues',
  '/queues/tests',
  '/queues/tests/drain',
  '/stream?page=dashboard',
  '/stream?page=workers',
  '/stream?page=job&id=:id',
  '/monitors/:id',
  '/monitors/:id?html=1&token=guessed',
  '/monitors/:id/stream',
  '/export?format=csv',
  '/assets/other.css',
  '/nothing',
]

const WRITE = [
  '/jobs',
  '/jobs/:id/cancel',
  '/jobs/:id/restart',
  '/workers/some-host:1:00000000/quiet',
  '/workers/some-host:1:00000000/resume',
  '/workers/some-host:1:00000000/stop',
  '/preferences',
  '/nothing',
]

async function assertClosed(assert: any, client: Client, id: string) {
  const check = (path: string, status: number, text: string) => {
    assert.equal(status, 403, path)
    for (const word of [SECRET, 'tests.echo', 'ada']) assert.notInclude(text, word, path)
  }
  for (const pattern of READ) {
    const path = pattern.replace(':id', id)
    const page = await client.page(path)
    check(path, page.status, page.text)
    const partial = await client.partial(path)
    check(path, partial.status, partial.text)
    const answer = await client.json(path)
    check(path, answer.status, answer.text)
    assert.equal(answer.json.errors[0].code, 'E_FORBIDDEN', path)
  }
  for (const pattern of WRITE) {
    const path = pattern.replace(':id', id)
    const answer = await client.ask('POST', path, { accept: 'application/json', body: {} })
    check(path, answer.status, answer.text)
    const form = await client.ask('POST', path, { accept: HTML, form: {} })
    check(path, form.status, form.text)
  }
  const stream = await client.stream('/stream?page=jobs')
  assert.equal(stream.status, 403)
  assert.notInclude(String(stream.headers['content-type']), 'event-stream')
  stream.close()
}

const CLOSED: { title: string; options: LabOptions; warns: RegExp | null }[] = [
  {
    title: 'in production, nothing said about access',
    options: { access: null, environment: 'production' },
    warns: /pages are closed.*view and dashboard\.access\.manage/,
  },
  {
    title: 'with NODE_ENV unset, nothing said about access',
    options: { access: null, environment: null },
    warns: /pages are closed/,
  },
  {
    title: 'with a callback that throws',
    options: {
      access: {
        view: () => {
          throw new Error(SECRET)
        },
        manage: () => true,
      },
    },
    warns: null,
  },
  {
    title: 'with a callback that answers something truthy',
    options: { access: { view: (() => ({})) as never, manage: () => true } },
    warns: null,
  },
]

for (const { title, options, warns } of CLOSED) {
  test.group(`Dashboard access | ${title}`, (group) => {
    let lab: DashboardLab
    group.setup(async () => {
      lab = await DashboardLab.open({ ...options, classes: CLASSES, shield: false })
      return () => lab.close()
    })

    test('every address is closed, streams too, and says nothing of jobs', async ({ assert }) => {
      const id = await lab.dispatch(Echo, { text: SECRET }, { user: 'ada' })
      await assertClosed(assert, lab.client(), id)
      assert.equal((await lab.record(id)).status, 'pending')
      if (warns) assert.match(lab.logged.join('\n'), warns)
    })
  })
}

test.group('Dashboard access | in development, nothing said about access', (group) => {
  let lab: DashboardLab
  group.setup(async () => {
    lab = await DashboardLab.open({ access: null, environment: 'development', shield: false })
    return () => lab.close()
  })

  test('everything is open', async ({ assert }) => {
    assert.equal((await lab.client().page('/jobs')).status, 200)
    assert.notMatch(lab.logged.join('\n'), /closed/)
  })
})

test.group('Dashboard access | who may look but not act', (group) => {
  let lab: DashboardLab
  group.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: { view: () => true, manage: (_ctx, target) => !target || target.queue === 'mine' },
    })
    return () => lab.close()
  })

  test('may act on what the application allows', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Echo, {}, { queue: 'mine' })
    const { status, json } = await client.post(`/jobs/${id}/cancel`)
    assert.equal(status, 200)
    assert.equal(json.outcome, 'done')
    const made = await client.post('/jobs', { type: 'tests.echo', options: { queue: 'mine' } })
    assert.equal(made.status, 201)
  })

  test('may not act on other queues', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Echo, {}, { queue: 'theirs' })
    for (const action of ['cancel', 'restart']) {
      const { status, json } = await client.post(`/jobs/${id}/${action}`)
      assert.equal(status, 403)
      assert.equal(json.errors[0].code, 'E_FORBIDDEN')
      assert.equal((await client.submit(`/jobs/${id}/${action}`)).status, 403)
    }
    assert.equal((await lab.record(id)).status, 'pending')
    const page = await client.page(`/jobs/${id}`)
    assert.notMatch(page.text, /<form[^>]*\/cancel"/)
  })

  test('may not create jobs there', async ({ assert }) => {
    const client = lab.client()
    const before = (await client.json('/jobs')).json.page.count
    const body = { type: 'tests.echo', options: { queue: 'theirs' } }
    assert.equal((await client.post('/jobs', body)).status, 403)
    assert.equal((await client.post('/jobs', { type: 'tests.echo' })).status, 403)
    assert.equal((await client.json('/jobs')).json.page.count, before)
  })
})

test.group('Dashboard access | manage by user', (group) => {
  let lab: DashboardLab
  const asked: (string | null | undefined)[] = []
  group.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: {
        view: () => true,
        manage(_ctx, target) {
          asked.push(target?.user)
          return !target?.user || target.user === 'me'
        },
      },
    })
    return () => lab.close()
  })

  test('the application is asked once for each user of a page', async ({ assert }) => {
    for (const user of ['me', 'boss', 'me', 'boss', 'me']) await lab.dispatch(Echo, {}, { user })
    asked.length = 0
    const { text } = await lab.client().page('/jobs')
    assert.lengthOf(text.match(/<tr[^>]* data-s="pending"/g)!, 5)
    assert.sameMembers(asked, [undefined, 'me', 'boss'])
  })

  const schedule = (user: string) => ({
    ...{ name: `of ${user}`, type: 'tests.echo', every: '1h', options: { user } },
  })

  test('schedules count as the jobs that they make', async ({ assert }) => {
    const client = lab.client()
    const { status, json } = await client.post('/schedules', schedule('me'))
    assert.equal(status, 201)
    const mine = `/schedules/${json.schedule.id}`
    assert.equal((await client.post('/schedules', schedule('boss'))).status, 403)
    assert.equal((await client.post(`${mine}/edit`, { options: { user: 'boss' } })).status, 403)
    assert.equal((await client.post(`${mine}/run`)).status, 200)
    assert.include((await client.page(mine)).text, 'id="schedule-run"')

    const { scheduleOperations } = await lab.app.container.make('queuedeck.dashboard')
    const actor = { id: '1', name: 'Boss', via: 'code' } as const
    const made = await scheduleOperations.create(schedule('boss'), actor)
    const theirs = `/schedules/${made.schedule.id}`
    for (const action of ['run', 'pause', 'edit', 'delete']) {
      assert.equal((await client.post(`${theirs}/${action}`)).status, 403)
    }
    const page = await client.page(theirs)
    assert.equal(page.status, 200)
    assert.notInclude(page.text, 'id="schedule-run"')
  })
})

test.group('Dashboard access | manage refused', (group) => {
  let lab: DashboardLab
  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES, access: { view: () => true } })
    return () => lab.close()
  })

  test('nobody may act, and unknown jobs look the same', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Echo)
    for (const path of [`/jobs/${id}/cancel`, `/jobs/${randomUUID()}/cancel`, '/jobs']) {
      const { status, json } = await client.post(path, { type: 'tests.echo' })
      assert.equal(status, 403, path)
      assert.equal(json.errors[0].code, 'E_FORBIDDEN')
    }
    assert.equal((await lab.record(id)).status, 'pending')
  })
})

test.group('Dashboard access | other sites', (group) => {
  const labs: DashboardLab[] = []
  group.setup(async () => {
    labs.push(await DashboardLab.open({ classes: CLASSES, shield: false }))
    labs.push(await DashboardLab.open({ classes: CLASSES }))
    return async () => {
      for (const lab of labs) await lab.close()
    }
  })

  test('without Shield and sessions, pages and actions work', async ({ assert }) => {
    const [lab] = labs
    const client = lab.client()
    assert.equal((await client.page('')).status, 200)
    const id = await lab.dispatch(Echo)
    const form = await client.submit(`/jobs/${id}/cancel`)
    assert.equal(form.status, 303)
    assert.equal((await client.page(form.headers.get('location')!)).status, 200)
    assert.equal((await lab.record(id)).status, 'cancelled')
  })

  test('without Shield, a policy of our own stands', async ({ assert }) => {
    for (const path of ['', '/jobs', '/nothing']) {
      const policy = (await labs[0].client().page(path)).headers.get('content-security-policy')!
      assert.include(policy, "default-src 'none'")
      assert.notInclude(policy, 'unsafe')
    }
  })

  test('a post from {from} is refused')
    .with<{ from: string; headers: Record<string, string> }[]>([
      { from: 'another site', headers: { 'sec-fetch-site': 'cross-site' } },
      { from: 'a sister site', headers: { 'sec-fetch-site': 'same-site' } },
      { from: 'another origin', headers: { origin: 'https://evil.example' } },
      { from: 'no origin', headers: { origin: 'null' } },
    ])
    .run(async ({ assert }, { headers }) => {
      for (const lab of labs) {
        const client = lab.client()
        const id = await lab.dispatch(Echo)
        if (!headers['sec-fetch-site'] && lab === labs[1]) continue
        const { status, json } = await client.post(`/jobs/${id}/cancel`, {}, headers)
        assert.equal(status, 403)
        /** By the host alone a proxy between is not told from another site. */
        if (headers.origin) assert.match(json.errors[0].message, /proxy .* Host/)
        assert.equal((await client.submit(`/jobs/${id}/cancel`, {}, headers)).status, 403)
        assert.equal((await client.post('/jobs', { type: 'tests.echo' }, headers)).status, 403)
        assert.equal((await lab.record(id)).status, 'pending')
      }
    })

  test('a post from our own pages is taken', async ({ assert }) => {
    for (const lab of labs) {
      const id = await lab.dispatch(Echo)
      const headers = { 'sec-fetch-site': 'same-origin', 'origin': lab.url }
      const { status } = await lab.client().post(`/jobs/${id}/cancel`, {}, headers)
      assert.equal(status, 200)
    }
  })

  test('with Shield, a post without its token does nothing', async ({ assert }) => {
    const lab = labs[1]
    const id = await lab.dispatch(Echo)
    const client = lab.client()
    for (const path of [`/jobs/${id}/cancel`, '/jobs', '/preferences']) {
      const options = { accept: 'application/json', body: { type: 'tests.echo' } }
      assert.equal((await client.ask('POST', path, options)).status, 403, path)
    }
    assert.equal((await lab.record(id)).status, 'pending')
  })

  test('GET changes nothing', async ({ assert }) => {
    const lab = labs[0]
    const id = await lab.dispatch(Echo)
    for (const action of ['cancel', 'restart']) {
      assert.equal((await lab.client().page(`/jobs/${id}/${action}`)).status, 200)
    }
    assert.equal((await lab.record(id)).status, 'pending')
  })
})

test.group('Dashboard access | monitors', (group) => {
  let lab: DashboardLab
  group.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: { view: () => false, manage: () => false },
      shield: false,
    })
    await lab.work()
    return () => lab.close()
  })

  const address = async (id: string, rest = '') => {
    const { monitorTokens } = await lab.app.container.make('queuedeck.dashboard')
    return `/monitors/${id}${rest}?token=${encodeURIComponent(monitorTokens.issue(id))}`
  }

  test('a token opens state, HTML and stream of its job alone', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Walk, { ms: 25 })
    await lab.record(id, 'running')
    const { status, json } = await client.json(await address(id))
    assert.equal(status, 200)
    assert.containsSubset(json, { status: 'running', stopping: false, terminal: false })
    const html = await client.page(`${await address(id)}&html=1&for=submit`)
    assert.equal(html.status, 200)
    assert.match(html.text, /<job-monitor[^>]*for="submit"/)

    const stream = await client.stream(await address(id, '/stream'))
    assert.equal(stream.status, 200)
    await waitFor('its progress', () => stream.named('state').length > 3)
    Walk.hurried.add(id)
    await lab.record(id, 'completed')
    await waitFor('the stream to end', () => stream.ended)
    const states = stream.named('state').map(({ data }) => data)
    assert.containsSubset(states.at(-1), { status: 'completed', terminal: true, percent: 100 })
    const versions = states.map(({ version }) => version)
    assert.deepEqual(
      versions,
      versions.toSorted((one: number, other: number) => one - other)
    )

    const other = await lab.dispatch(Echo)
    const token = new URL(await address(id), lab.url).searchParams.get('token')!
    for (const wrong of [token, `${token}x`, '', 'x'.repeat(2_000)]) {
      const query = `?token=${encodeURIComponent(wrong)}`
      assert.equal((await client.json(`/monitors/${other}${query}`)).status, 403)
      const refused = await client.stream(`/monitors/${other}/stream${query}`)
      assert.equal(refused.status, 403)
      refused.close()
    }
    assert.equal((await client.json(`/jobs/${id}?token=${encodeURIComponent(token)}`)).status, 403)
  })

  test('a token for a job that is gone answers 404', async ({ assert }) => {
    assert.equal((await lab.client().json(await address(randomUUID()))).status, 404)
  })
})
