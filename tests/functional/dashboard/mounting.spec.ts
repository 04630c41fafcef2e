import edge from 'edge.js'
import { test } from '@japa/runner'
import { E_DATABASE_UNAVAILABLE } from '../../../src/errors.ts'
import { CLASSES, Echo } from './jobs.ts'
import { Client, HTML } from './client.ts'
import { DashboardLab } from './lab.ts'

test.group('Dashboard | below a group of the host', (group) => {
  let lab: DashboardLab
  let client: Client
  const asked: string[] = []

  group.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: {
        view: ({ request }) => request.header('x-user') !== 'nobody',
        manage: () => true,
        actor: ({ request }) => ({ id: request.header('x-user') ?? 'somebody' }),
      },
      mount: (routes) =>
        routes.prefix('/tenants/:tenant').use([
          async ({ params, request, response }: any, next: any) => {
            asked.push(`${params.tenant} ${request.url()}`)
            if (request.header('x-user') === undefined) return response.unauthorized('log in')
            await next()
          },
        ] as never),
    })
    client = new Client(lab.url, '/tenants/a%20b/admin/queue')
    return () => lab.close()
  })

  const ada = { 'x-user': 'ada' }

  test("the host's middleware comes first, for every address", async ({ assert }) => {
    for (const path of ['', '/jobs', '/stream?page=jobs', '/nothing', '/monitors/x']) {
      assert.equal((await client.ask('GET', path, { accept: HTML })).status, 401, path)
    }
    assert.isAbove(asked.length, 4)
    const refused = await client.page('/jobs', { 'x-user': 'nobody' })
    assert.equal(refused.status, 403)
    assert.equal(refused.headers.get('x-queuedeck'), 'true')
  })

  test('every link and form stays below it', async ({ assert }) => {
    const id = await lab.dispatch(Echo, {}, { queue: 'idle' })
    for (const path of ['', '/jobs', `/jobs/${id}`, `/jobs/${id}/cancel`]) {
      const { status, text } = await client.page(path, ada)
      assert.equal(status, 200, path)
      const links = [...text.matchAll(/(?:href|src|action|hx-get|hx-post|content)="(\/[^"]*)"/g)]
      assert.isAbove(links.length, 5)
      for (const [, link] of links) assert.match(link, /^\/tenants\/a%20b\/admin\/queue/, path)
      const assets = links.map(([, link]) => link).filter((link) => link.includes('/assets/'))
      for (const asset of assets) {
        assert.equal((await client.ask('GET', asset, { headers: ada })).status, 200, asset)
      }
    }
    const { text } = await client.page('', ada)
    const token = /<meta name="csrf-token" content="([^"]*)"/.exec(text)![1]
    const form = { accept: HTML, form: { _csrf: token }, headers: ada }
    const answer = await client.ask('POST', `/jobs/${id}/cancel`, form)
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), `/tenants/a%20b/admin/queue/jobs/${id}`)
    const record = await lab.record(id, 'cancelled')
    assert.include(JSON.stringify(record.events), '"ada"')
  })

  test('scripts and styles carry what the policy of the host may ask for instead of its own name', async ({
    assert,
  }) => {
    const files = (html: string) => [...html.matchAll(/<(?:script|link rel="stylesheet")[^>]*>/g)]
    for (const user of ['ada', 'nobody']) {
      const { text, headers } = await client.page('/jobs', { 'x-user': user })
      const nonce = /'nonce-([^']+)'/.exec(headers.get('content-security-policy')!)![1]
      assert.isNotEmpty(files(text))
      for (const [tag] of files(text)) assert.include(tag, `nonce="${nonce}"`)
    }
    const jobId = await lab.dispatch(Echo, {}, { queue: 'idle' })
    const page = edge.createRenderer().share({ cspNonce: 'n-1' })
    const monitor = await page.renderRaw(
      `@!queuedeck.monitor({ jobId, params: { tenant: 'a b' } })`,
      { jobId }
    )
    assert.lengthOf(files(monitor), 2)
    for (const [tag] of files(monitor)) assert.include(tag, 'nonce="n-1"')
  })

  test('a monitor on a page of the host asks there too', async ({ assert }) => {
    const id = await lab.dispatch(Echo, {}, { queue: 'idle' })
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const view = await dashboard.monitor(id, null, { tenant: 'a b' })
    for (const address of Object.values(view!.urls)) {
      assert.match(address, /^\/tenants\/a%20b\/admin\/queue\/monitors\//)
    }
    const state = await client.ask('GET', view!.urls.state, {
      accept: 'application/json',
      headers: ada,
    })
    assert.equal(state.status, 200)
    assert.equal(state.json.status, 'pending')
    await assert.rejects(() => dashboard.monitor(id, null), /"tenant" is not known/)
    const { operations } = dashboard
    const find = async () => {
      throw new E_DATABASE_UNAVAILABLE(['the job cannot be read', 'refused'])
    }
    Object.assign(dashboard, { operations: { ...operations, reader: { find } } })
    try {
      assert.isNull(await dashboard.monitor(id, null, { tenant: 'a b' }))
    } finally {
      Object.assign(dashboard, { operations })
    }
  })

  test('behind a proxy that cuts a prefix off, every address begins with it', async ({
    assert,
    cleanup,
  }) => {
    const { dashboard: settings } = await lab.app.container.make('queuedeck.config')
    settings.proxyPrefix = '/tools'
    cleanup(() => {
      settings.proxyPrefix = ''
    })
    const inside = '/tenants/a%20b/admin/queue'
    const id = await lab.dispatch(Echo, {}, { queue: 'idle' })
    const paths = ['', '/jobs?status=pending', `/jobs/${id}`, '/schedules', '/workers', '/nothing']
    for (const path of paths) {
      const { text } = await client.page(path, ada)
      const links = [...text.matchAll(/[\w-]+="(\/[^"]*)"/g)].map(([, link]) => link)
      assert.isAbove(links.length, 5)
      for (const link of links) assert.isTrue(link.startsWith(`/tools${inside}`), `${path} ${link}`)
    }
    const { text } = await client.page('', ada)
    const token = /<meta name="csrf-token" content="([^"]*)"/.exec(text)![1]
    const form = { accept: HTML, form: { _csrf: token }, headers: ada }
    const answer = await client.ask('POST', `/jobs/${id}/cancel`, form)
    assert.equal(answer.headers.get('location'), `/tools${inside}/jobs/${id}`)
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const view = await dashboard.monitor(id, null, { tenant: 'a b' })
    assert.match(view!.urls.stream, /^\/tools\/tenants/)
  })
})
