import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { LiveHub } from '../../../src/dashboard/live/live_hub.ts'
import { listKey } from '../../../src/dashboard/live/live_view.ts'
import { JobQuery } from '../../../src/records/job_query.ts'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo } from './jobs.ts'
import { DashboardLab } from './lab.ts'

const REFRESH = { 'x-queuedeck-refresh': 'rows' }

const uuid = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`

test.group('Streams | kept open', (group) => {
  let lab: DashboardLab
  let mayLook = true

  group.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: { view: () => mayLook, manage: () => true },
    })
    return () => lab.close()
  })

  test('numbers follow the last change, though it came right after another', async ({ assert }) => {
    const stream = await lab.client().stream('/stream?page=dashboard')
    await waitFor('the first numbers', () => stream.named('stats').length > 0)
    for (let count = 1; count <= 4; count++) {
      await lab.dispatch(Echo)
      await pause(150)
    }
    await waitFor(
      'the newest numbers',
      () => stream.named('stats').at(-1)!.data.pending.figures[0].value === '4',
      { within: 20_000 }
    )
    const gaps = stream.named('stats').length
    assert.isBelow(gaps, 6, 'numbers are gathered, not sent for each change')
    stream.close()
  })

  test('go on while the clock of this machine is put back', async ({ assert, cleanup }) => {
    const stream = await lab.client().stream('/stream?page=dashboard')
    const told = () => ['changed', 'stats'].map((name) => stream.named(name).length)
    await lab.dispatch(Echo)
    await waitFor('the first change', () => told().every((count) => count > 0))
    const { now } = Date
    cleanup(() => {
      Date.now = now
      stream.close()
    })
    Date.now = () => now() - 3_600_000
    const before = told()
    await lab.dispatch(Echo)
    await waitFor('the next', () => told().every((count, index) => count > before[index]))
    assert.isFalse(stream.ended)
  })

  test('carry progress of the rows that any viewer of a list was shown of late', async ({
    assert,
  }) => {
    const client = lab.client()
    const [newer, older] = [await lab.dispatch(Echo), await lab.dispatch(Echo)]
    const { live } = await lab.app.container.make('queuedeck.dashboard')
    const { changes, connections } = await lab.app.container.make('queuedeck.transport')
    const stream = await client.stream('/stream?page=jobs')
    await waitFor('hello', () => stream.named('hello').length > 0)
    const progress = async (percent: number) => {
      const rows = [newer, older].map((id) => [id, percent, null, null, null, null, null])
      const notice = { changed: [], more: false, progress: rows, lag: 1 }
      await changes.publish(notice as never, connections.producer as never)
    }
    const told = (percent: number) => {
      const rows = stream.named('progress').flatMap(({ data }) => data)
      return rows.filter((row) => row[1] === percent).map(([id]) => id)
    }
    assert.include((await client.partial('/jobs', REFRESH)).text, newer)
    assert.notInclude((await client.partial(`/jobs?pin=${older}`, REFRESH)).text, newer)
    await progress(10)
    await waitFor('progress of the rows of both', () => told(10).length === 2)

    const { now } = performance
    performance.now = () => now.call(performance) + 11_000
    try {
      live.show(listKey(JobQuery.from()), [older])
    } finally {
      performance.now = now
    }
    await progress(20)
    await waitFor('progress of the row that is still shown', () => told(20).length > 0)
    assert.deepEqual(told(20), [older])
    stream.close()
  })

  test('keep no more rows of a list than a few viewers see', async ({ assert }) => {
    const { live } = await lab.app.container.make('queuedeck.dashboard')
    const { changes, connections } = await lab.app.container.make('queuedeck.transport')
    const stream = await lab.client().stream('/stream?page=jobs&queue=many')
    await waitFor('hello', () => stream.named('hello').length > 0)
    const key = listKey(JobQuery.from({ queue: 'many' }))
    const ids = Array.from({ length: 1_001 }, (_, n) => uuid(n))
    for (let at = 0; at < ids.length; at += 200) live.show(key, ids.slice(at, at + 200))
    const rows = [ids[0], ids[1], ids[1_000]].map((id) => [id, 7, null, null, null, null, null])
    const notice = { changed: [], more: false, progress: rows, lag: 1 }
    await changes.publish(notice as never, connections.producer as never)
    await waitFor('progress', () => stream.named('progress').length > 0)
    const told = stream.named('progress').flatMap(({ data }) => data.map(([id]: string[]) => id))
    assert.deepEqual(told, [ids[1], ids[1_000]])
    stream.close()
  })

  test('end when the job of a monitor was deleted before its end was told, but not when it could not be read', async ({
    assert,
    cleanup,
  }) => {
    const client = lab.client()
    const id = await lab.dispatch(Echo)
    const { reader } = await lab.app.container.make('queuedeck.dashboard')
    const { find } = reader
    cleanup(() => void Object.assign(reader, { find }))
    const stream = await client.stream(`/monitors/${id}/stream`)
    await waitFor('its state', () => stream.named('state').length > 0)
    let looks = 0
    reader.find = async () => {
      looks++
      throw new Error('away')
    }
    await waitFor('looks in vain', () => looks > 1)
    assert.isFalse(stream.ended)
    reader.find = async () => null
    await waitFor('the end', () => stream.ended, { within: 20_000 })
    const again = await client.stream(`/monitors/${id}/stream`)
    assert.equal(again.status, 404)
    again.close()
    assert.equal((await client.json(`/monitors/${id}`)).status, 404)
  })

  test('say that they are alive, and end when their viewer may look no more', async ({
    assert,
    cleanup,
  }) => {
    const client = lab.client()
    const id = await lab.dispatch(Echo)
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const { live, logger, monitorTokens } = dashboard
    const transport = await lab.app.container.make('queuedeck.transport')
    const impatient = new LiveHub(dashboard, transport, logger, { askEvery: 1_000 })
    Object.assign(dashboard, { live: impatient })
    cleanup(() => {
      impatient.close()
      Object.assign(dashboard, { live })
    })
    const token = encodeURIComponent(monitorTokens.issue(id))
    const streams = await Promise.all([
      client.stream('/stream?page=dashboard'),
      client.stream('/stream?page=jobs'),
      client.stream(`/stream?page=job&id=${id}`),
      client.stream(`/monitors/${id}/stream`),
    ])
    const monitor = await client.stream(`/monitors/${id}/stream?token=${token}`)
    mayLook = false
    for (const stream of streams) {
      await waitFor('the stream to end', () => stream.ended)
    }
    assert.isFalse(monitor.ended, 'the host let it follow this job')
    await waitFor('a ping', () => monitor.named('ping').length > 0)
    assert.match(monitor.text, /(?:^|\n\n)event: ping\ndata: null\n\n/)
    monitor.close()
    const refused = await client.stream('/stream?page=jobs')
    assert.equal(refused.status, 403)
    refused.close()
  })
})
