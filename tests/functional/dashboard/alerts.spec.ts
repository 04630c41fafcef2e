import { test } from '@japa/runner'
import { Watch } from '../../../src/alerts/watch.ts'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo } from './jobs.ts'
import { DashboardLab, PREFIX } from './lab.ts'

const MINUTE = 60_000
const HOSTILE = '<b>a</b> "q" \'%2F?#&'

test.group('Alerts on pages', (group) => {
  let lab: DashboardLab
  let watch: Watch
  let look: (later?: number) => Promise<void>

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    const { container } = lab.app
    const transport = await container.make('queuedeck.transport')
    let ahead = 0
    watch = new Watch({
      transport,
      records: await container.make('queuedeck.records'),
      config: await container.make('queuedeck.config'),
      logger: await container.make('logger'),
      emit: () => {},
      deliverer: { targets: [], run: async () => {}, sendNow: async () => {} },
      now: () => Date.now() + ahead,
    })
    look = (later = 0) => {
      ahead += later
      return watch.look(transport.connections.mirror)
    }
    return () => lab.close()
  })

  test('show what is wrong, where, and what to do; without scripts too', async ({ assert }) => {
    const client = lab.client()
    const calm = await client.page('/alerts')
    assert.equal(calm.status, 200)
    assert.include(calm.text, 'No alert is open')
    assert.notInclude(calm.text, 'nav-count')
    assert.deepEqual((await client.json('')).json.alerts, [])

    const stream = await client.stream('/stream?page=dashboard')
    await waitFor('the stream', () => stream.named('hello').length > 0)
    await lab.dispatch(Echo, {}, { queue: HOSTILE })
    await look()
    await look(2 * MINUTE)
    await waitFor('open pages to be told', () => stream.named('notice').length > 0)
    assert.containSubset(stream.named('notice'), [
      { data: { alert: true, title: 'No worker for a queue' } },
    ])
    await waitFor('and to refresh', () => stream.named('changed').length > 0)
    stream.close()

    const { alerts } = (await client.json('')).json
    assert.containSubset(alerts, [{ rule: 'noWorker', subject: HOSTILE, clearedAt: null }])
    for (const path of ['', '/alerts', '/jobs']) {
      const { text } = await client.page(path)
      assert.include(text, '<b class="nav-count">1</b>', path)
      assert.notInclude(text, HOSTILE, path)
    }
    const { text } = await client.page('/alerts')
    assert.include(text, 'no worker serves it')
    assert.include(text, 'Start a worker that serves it')
    const link = /href="([^"]*)" id="alert-\d+-link"/
      .exec(text)![1]
      .replaceAll('&amp;', '&')
      .replaceAll('&#x27;', "'")
    assert.equal((await client.page(link)).status, 200, link)
    assert.include((await client.page('')).text, `href="${PREFIX}/alerts#alert-${alerts[0].id}"`)
  })

  test('are acknowledged once, muted for a time, and told of again', async ({ assert }) => {
    const client = lab.client()
    const [{ id }] = (await client.json('/alerts')).json.open
    const form = await client.submit(`/alerts/${id}/acknowledge`)
    assert.equal(form.status, 303)
    assert.equal(form.headers.get('location'), `${PREFIX}/alerts`)
    const page = await client.page('/alerts')
    assert.include(page.text, 'Acknowledged: No worker for a queue')
    assert.match(page.text, /acknowledged by 127\.0\.0\.1/)
    const again = await client.post(`/alerts/${id}/acknowledge`)
    assert.deepInclude(again.json, { outcome: 'done', reason: null })
    assert.deepInclude(again.json.alert, { id, rule: 'noWorker' })
    assert.equal((await client.post('/alerts/4711/acknowledge')).status, 404)
    assert.equal((await client.post('/alerts/x/acknowledge')).status, 404)

    const muted = await client.submit('/alerts/mutes', {
      rule: 'noWorker',
      subject: HOSTILE,
      for: '8h',
    })
    assert.equal(muted.status, 303)
    const after = (await client.json('/alerts')).json
    assert.containSubset(after.mutes, [{ rule: 'noWorker', subject: HOSTILE }])
    assert.isNotNull(after.open[0].mute.until)
    const quiet = await client.page('')
    assert.notInclude(quiet.text, 'nav-count')
    assert.notInclude(quiet.text, 'no worker serves it')
    assert.include((await client.page('/alerts')).text, 'no worker serves it')

    const token = (await client.token())!
    const unmuted = await client.ask('DELETE', '/alerts/mutes', {
      accept: 'application/json',
      body: { rule: 'noWorker', subject: HOSTILE },
      headers: { 'x-csrf-token': token },
    })
    assert.deepEqual(unmuted.json, {
      outcome: 'done',
      text: 'No longer muted',
      changed: true,
    })
    const all = await client.post('/alerts/mutes', { rule: 'cpu', for: null })
    assert.deepInclude(all.json.mute, { rule: 'cpu', subject: null, until: null })
    await client.submit('/alerts/unmute', { rule: 'cpu', subject: '' })
    assert.deepEqual((await client.json('/alerts')).json.mutes, [])
    for (const body of [
      { rule: 'nothing', for: '1h' },
      { rule: 'cpu' },
      { rule: 'cpu', for: 'soon' },
      { rule: 'cpu', for: 2 ** 53 - 1 },
      { rule: 'cpu', for: 0 },
      { rule: 'cpu', for: '1h', subject: ['x'] },
      { rule: ['cpu'], for: '1h' },
    ]) {
      assert.equal((await client.post('/alerts/mutes', body)).status, 422, JSON.stringify(body))
    }
    for (const length of [0, ['1h'], { hours: 1 }]) {
      const { json } = await client.post('/alerts/mutes', { rule: 'cpu', for: length })
      assert.include(json.errors[0].message, '"for" must be a duration from 1s to 3650d')
    }
    assert.equal((await client.json('/alerts?cursor=0')).status, 422)
  })

  test('go over to the list of what is over, and say what each rule means', async ({ assert }) => {
    const client = lab.client()
    await (await lab.app.container.make('queuedeck.transport')).queueControl.pause(HOSTILE)
    await look()
    const { open, data, rules, page } = (await client.json('/alerts')).json
    assert.deepEqual(open, [])
    assert.containSubset(data, [{ rule: 'noWorker', acknowledged: { by: '127.0.0.1' } }])
    assert.isNotNull(data[0].clearedAt)
    assert.isNull(page.next)
    const { text } = await client.page('/alerts')
    for (const { title, meaning } of rules) {
      assert.include(text, title)
      assert.include(text, meaning)
    }
    assert.include(text, 'opens at 95 % in 2 reports, closes below 80 %')
  })

  test('are answered by those only who may', async ({ assert, cleanup }) => {
    const own = await DashboardLab.open({
      classes: CLASSES,
      access: {
        view: () => true,
        manage: (ctx, target) =>
          target?.queue !== 'theirs' || ctx.request.header('x-who') === 'chief',
      },
    })
    cleanup(() => own.close())
    const client = own.client()
    const mute = (subject: string) =>
      client.post('/alerts/mutes', { rule: 'noWorker', subject, for: '1h' })
    assert.equal((await mute('theirs')).status, 403)
    assert.equal((await mute('ours')).status, 200)

    await own.dispatch(Echo, {}, { queue: 'theirs' })
    const chief = { 'x-who': 'chief' }
    const all = { rule: 'noWorker', for: '1h' }
    assert.equal((await client.post('/alerts/mutes', all)).status, 403)
    assert.equal((await client.post('/alerts/mutes', { ...all, rule: 'cpu' })).status, 200)
    assert.equal((await client.post('/alerts/mutes', all, chief)).status, 200)
    const unmute = { rule: 'noWorker', subject: '' }
    assert.equal((await client.post('/alerts/unmute', unmute)).status, 403)
    assert.equal((await client.post('/alerts/unmute', unmute, chief)).status, 200)
  })
})
