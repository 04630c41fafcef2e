import { test } from '@japa/runner'
import { Queue } from 'bullmq'
import { waitFor } from '#tests/helpers/wait'
import { stopwatch } from '#tests/helpers/stopwatch'
import { CLASSES, Walk } from './jobs.ts'
import { DashboardLab } from './lab.ts'

const asks = (refresh: string, known?: string | null) => ({
  'x-queuedeck-refresh': refresh,
  ...(known ? { 'if-none-match': known } : {}),
})

test.group('Dashboard | why a job waits', (group) => {
  let lab: DashboardLab
  let running: string
  let waiting: string

  group.each.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    const { limits } = await lab.app.container.make('queuedeck.transport')
    await lab.work()
    await limits.set({ kind: 'user', user: 'ada' }, 1, 'test')
    running = await lab.dispatch(Walk, {}, { user: 'ada' })
    await lab.record(running, 'running')
    waiting = await lab.dispatch(Walk, {}, { user: 'ada' })
    return () => lab.close()
  })

  /** Two looks at a reason may lie a second apart: a page that many look at is made once for all of them. */
  const shows = (what: string, look: () => Promise<boolean>) => waitFor(what, look, { every: 100 })

  test('stands in the JSON of the job and of the list, and on both pages', async ({ assert }) => {
    const client = lab.client()
    const reason = { kind: 'user', name: 'ada', running: 1, limit: 1, text: 'user limit 1/1' }
    await shows('the reason', async () => {
      const { json } = await client.json(`/jobs/${waiting}`)
      return json.waiting?.kind === 'user'
    })
    assert.deepEqual((await client.json(`/jobs/${waiting}`)).json.waiting, reason)
    assert.isNull((await client.json(`/jobs/${running}`)).json.waiting)
    const { data } = (await client.json('/jobs')).json
    assert.deepEqual(
      data.map((job: { id: string; waiting: unknown }) => [job.id, job.waiting]),
      [
        [waiting, reason],
        [running, null],
      ]
    )
    assert.include((await client.page('/jobs')).text, 'user limit 1/1')
    assert.include((await client.page(`/jobs/${waiting}`)).text, 'user limit 1/1')
    assert.notInclude((await client.page(`/jobs/${running}`)).text, 'user limit')
    const monitor = (await client.json(`/monitors/${waiting}`)).json
    assert.equal(monitor.stage, 'waits for its turn')
  })

  test('changes in rows that are asked for again, although no revision tells of it', async ({
    assert,
  }) => {
    const client = lab.client()
    const { limits } = await lab.app.container.make('queuedeck.transport')
    const path = `/jobs?have=${running.slice(-12)}`
    let tag: string | null = null
    await shows('the limit of the user', async () => {
      const { text, headers } = await client.partial(path, asks('rows'))
      tag = headers.get('etag')
      return text.includes('user limit 1/1')
    })
    assert.equal((await client.partial(path, asks('rows', tag))).status, 304)

    const { connections, keys } = await lab.app.container.make('queuedeck.transport')
    const queue = new Queue('tests', {
      prefix: keys.prefix,
      connection: connections.producer as never,
    })
    await queue.pause()
    const changedAt = stopwatch()
    await shows('the other limit', async () => {
      const { status, text } = await client.partial(path, asks('rows', tag))
      return status === 200 && text.includes('queue is paused')
    })
    assert.isBelow(changedAt(), 2_500)

    await queue.resume()
    await limits.set({ kind: 'user', user: 'ada' }, 2, 'test')
    await lab.record(waiting, 'running')
    assert.isNull((await client.json(`/jobs/${waiting}`)).json.waiting)
  })

  test('costs one question to Redis a page, and none where nothing waits', async ({ assert }) => {
    const client = lab.client()
    const { limits } = await lab.app.container.make('queuedeck.transport')
    await lab.dispatch(Walk, {}, { user: 'ada' })
    const asked: number[] = []
    const reasons = limits.reasons.bind(limits)
    limits.reasons = (jobs) => (asked.push(jobs.length), reasons(jobs))
    try {
      assert.lengthOf((await client.json('/jobs?status=running')).json.data, 1)
      await client.page('/jobs?status=running')
      await client.page(`/jobs/${running}`)
      await client.page('')
      assert.deepEqual(asked.filter(Boolean), [])
      await client.page('/jobs')
      assert.deepEqual(asked, [2])
      await client.json('/jobs')
      assert.deepEqual(asked, [2, 2])
      limits.reasons = () => Promise.reject(new Error('away'))
      const { status, text } = await client.page('/jobs')
      assert.equal(status, 200)
      assert.include(text, 'waits for its turn')
      assert.isNull((await client.json(`/jobs/${waiting}`)).json.waiting)
    } finally {
      Object.assign(limits, { reasons })
    }
  })
})
