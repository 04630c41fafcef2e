import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Fail } from './jobs.ts'
import { DashboardLab } from './lab.ts'

test.group('Dashboard | metrics', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    return () => lab.close()
  })

  const total = async (query: string) => (await lab.client().json(`/metrics${query}`)).json.total

  test('tell what happened, as JSON and on charts', async ({ assert }) => {
    const empty = await lab.client().page('/')
    assert.include(empty.text, 'Nothing happened in the last hour')
    await lab.work({ queues: ['tests', 'other'], concurrency: 4 })
    for (let job = 0; job < 5; job++) await lab.dispatch(Echo, {}, { queue: 'other' })
    const failing = await lab.dispatch(Fail, { message: 'broke' })
    await lab.record(failing, 'failed')
    const told = await waitFor('all to be counted', async () => {
      const { json } = await lab.client().json('/metrics?step=minute')
      return json.total.completed === 5 && json.total.failed === 1 && json
    })
    assert.containSubset(told.total, { added: 6, cancelled: 0, retried: 0, run: { count: 6 } })
    assert.equal(told.step, 60_000)
    assert.isAtLeast(told.data.length, 60)
    const last = told.data.findLast(({ added }: { added: number }) => added > 0)
    assert.match(last.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/)
    assert.isAtMost(last.wait.p50, last.wait.p99)

    assert.containSubset(await total('?queue=other'), { completed: 5, failed: 0 })
    assert.containSubset(await total('?type=tests.fail'), { completed: 0, failed: 1 })
    assert.containSubset(await total('?queue=other&type=tests.fail'), { added: 0, run: null })
    assert.containSubset(await total('?queue=unknown'), { added: 0 })
    assert.containSubset(await total('?from=30d&step=hour'), { completed: 5, failed: 1 })

    const queues = await lab.client().page('/queues')
    assert.match(queues.text, /data-l="Last hour">\s*<span class="l1">&lt;0\.1\/min<\/span>/)
    const own = await lab.client().page('/queues/other?range=24h')
    assert.include(own.text, 'Jobs a minute in the last 24 hours: 5 completed, 0 failed, 5 added')

    for (const range of ['', '?range=24h', '?range=7d', '?range=30d']) {
      const { text } = await waitFor('charts that are not from before', async () => {
        const page = await lab.client().page(`/${range}`)
        return page.text.includes('5 completed, 1 failed') && page
      })
      assert.include(text, 'id="throughput-table"')
      assert.include(text, 'id="latency-table"')
      assert.notMatch(text, /NaN|Infinity|undefined/)
    }
  })

  test('of a bare day are those of the whole day', async ({ assert }) => {
    const range = async (query: string) => {
      const { from, to } = (await lab.client().json(`/metrics?${query}`)).json
      return [from, to]
    }
    const days = ['2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z']
    assert.deepEqual(await range('from=2026-11-01&to=2026-11-01'), days)
    assert.deepEqual(await range('from=2026-11-01T00:00&to=2026-11-02T00:00'), days)
  })

  test('refuse what they cannot read, naming it: {query}')
    .with([
      { query: '?from=soon', says: /"soon" as the moment of "from"/ },
      { query: '?from=1h&to=2h', says: /"from" must be before "to"/ },
      { query: '?step=day', says: /"step" cannot be "day"/ },
      { query: '?from=90d&step=minute', says: /more than 5,000 steps/ },
      { query: '?queue=a&queue=b', says: /"queue" may be given once/ },
    ])
    .run(async ({ assert }, { query, says }) => {
      const { status, json } = await lab.client().json(`/metrics${query}`)
      assert.equal(status, 422)
      assert.match(json.errors[0].message, says)
    })
})
