import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo } from '../dashboard/jobs.ts'
import { DashboardLab } from '../dashboard/lab.ts'

const HOSTILE = '<script>alert(1)</script> "ü" 😀'

test.group('Audit page', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: {
        view: () => true,
        manage: () => true,
        actor: (ctx) => ({
          id: '7',
          name: decodeURIComponent(ctx.request.header('x-who') ?? 'Ada'),
        }),
      },
    })
    return () => lab.close()
  })

  const audit = (params: string, count: number) =>
    waitFor(`${count} actions`, async () => {
      const { json } = await lab.client().json(`/audit${params}`)
      const isThere = json.data.length === count
      return isThere && json.data.every((one: any) => one.outcome !== 'unknown') && json
    })

  test('tells every action of pages and programs, newest first', async ({ assert }) => {
    const client = lab.client()
    const { json: created } = await client.post('/jobs', { type: Echo.options.name, payload: {} })
    const { id, queue } = created.job
    await client.submit(`/jobs/${id}/cancel`, { reason: HOSTILE })
    await client.post(`/jobs/${id}/restart`, {}, { 'x-queuedeck-page': 'true' })
    await client.ask('PUT', `/queues/${queue}/pause`, {
      accept: 'application/json',
      headers: { 'x-csrf-token': (await client.token())!, 'x-who': encodeURIComponent(HOSTILE) },
    })
    const { data, page } = await audit('', 4)
    assert.isNull(page.next)
    assert.deepEqual(
      data.map(({ action, actor, target, outcome }: any) => [
        action,
        actor.name,
        actor.via,
        target.id,
        outcome,
      ]),
      [
        ['pause', HOSTILE, 'api', queue, 'done'],
        ['restart', 'Ada', 'page', id, 'done'],
        ['cancel', 'Ada', 'page', id, 'done'],
        ['dispatch', 'Ada', 'api', id, 'done'],
      ]
    )
    assert.equal(data[2].detail.said, HOSTILE)
    const { text } = await client.page('/audit')
    assert.notInclude(text, '<script>alert')
    assert.include(text, '&lt;script&gt;alert')
    const about = await audit(`?target=${id}`, 3)
    const [first] = (await client.json('/audit?limit=1')).json.data
    assert.equal(first.id, data[0].id)
    const { json: second } = await client.json(
      `/audit?limit=1&cursor=${(await client.json('/audit?limit=1')).json.page.next}`
    )
    assert.equal(second.data[0].id, about.data[0].id)
    assert.match((await client.page(`/jobs/${id}`)).text, /acts-card.*Restarted.*Cancelled/s)
    await audit('?who=ADA', 3)
    await audit('?action=cancel&from=1h', 1)
    assert.match((await client.page('/audit?who=nobody')).text, /Nothing of this kind/)
  })

  test('hides what looks secret', async ({ assert }) => {
    const { trail } = await lab.app.container.make('queuedeck.transport')
    await trail.act(
      {
        actor: { id: 'x', via: 'code' },
        action: 'mute',
        target: { kind: 'alert', id: 'a' },
        detail: { apiKey: 'sk-very-secret', note: 'fine' },
      },
      async () => ({ outcome: 'done' })
    )
    const { data } = await audit('?action=mute', 1)
    assert.deepEqual(data[0].detail, { apiKey: '[redacted]', note: 'fine' })
    assert.notInclude((await lab.client().page('/audit?action=mute')).text, 'sk-very-secret')
  })

  test('hides in words about a job what its own page hides', async ({ assert }) => {
    const client = lab.client()
    const cancelled = async (payload: object, reason: string, options: object = {}) => {
      const id = await lab.dispatch(Echo, payload, { delay: '1h', ...options })
      await client.post(`/jobs/${id}/cancel`, { reason })
      await client.post(`/jobs/${id}/cancel`, { reason })
      const { data } = await audit(`?target=${id}`, 2)
      for (const path of [`/audit?target=${id}`, `/jobs/${id}`]) {
        assert.notInclude((await client.page(path)).text, 'p-111', path)
      }
      return data.map((one: any) => [one.detail.said, one.reason])
    }
    assert.deepEqual(await cancelled({ password: 'p-111' }, 'p-111 was wrong'), [
      ['[redacted] was wrong', 'The job is cancelled already'],
      ['[redacted] was wrong', null],
    ])
    assert.deepEqual(await cancelled({ name: 'p-111' }, 'not p-111', { sensitive: true }), [
      ['[redacted]', '[redacted]'],
      ['[redacted]', null],
    ])
  })

  test('refuses what it cannot read, naming it', async ({ assert }) => {
    for (const [params, field] of [
      ['?action=nonsense', 'action'],
      ['?from=tomorrowish', 'from'],
      ['?from=2026-11-02&to=2026-11-01', 'to'],
      ['?cursor=1', 'cursor'],
      ['?limit=0', 'limit'],
      ['?who=a&who=b', 'who'],
    ]) {
      const { status, json } = await lab.client().json(`/audit${params}`)
      assert.equal(status, 422, params)
      assert.equal(json.errors[0].field, field)
    }
  })

  test('a filter that cannot be used stays in its form, with the reason', async ({ assert }) => {
    const client = lab.client()
    const { status, text } = await client.page('/audit?who=ada&from=2026-11-02&to=2026-11-01')
    assert.equal(status, 422)
    for (const typed of ['value="ada"', 'value="2026-11-02"', 'value="2026-11-01"']) {
      assert.include(text, typed)
    }
    assert.match(text, /role="alert">The range from .* is empty/)
    assert.notInclude(text, 'Nothing of this kind')
  })
})
