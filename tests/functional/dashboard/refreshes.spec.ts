import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo } from './jobs.ts'
import { DashboardLab } from './lab.ts'

/** A chart that stands still: without a range it begins where history does, and moves on with time. */
const RANGE = new URLSearchParams({
  from: new Date(Date.now() - 2 * 86_400_000).toISOString(),
  to: new Date(Date.now() + 3_600_000).toISOString(),
})

const asks = (refresh: string, known?: string | null) => ({
  'x-queuedeck-refresh': refresh,
  ...(known ? { 'if-none-match': known } : {}),
})

test.group('Dashboard | refreshes', (group) => {
  let lab: DashboardLab
  let ids: string[]

  group.each.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: { view: () => true, manage: ({ request }) => request.header('x-user') === 'boss' },
    })
    ids = []
    for (let count = 0; count < 5; count++)
      ids.unshift(await lab.dispatch(Echo, { count }, { queue: 'idle' }))
    return () => lab.close()
  })

  test('of rows send only those that the browser does not have, in their order', async ({
    assert,
  }) => {
    const have = [ids[0], ids[2], ids[4]].map((id) => id!.slice(-12)).join('')
    const { text, headers } = await lab.client().partial(`/jobs?have=${have}`, asks('rows'))
    const rows = [...text.matchAll(/<tr role="row" id="job-([^"]*)"( data-same)?/g)]
    assert.deepEqual(
      rows.map(([, id]) => id),
      ids
    )
    assert.deepEqual(
      rows.map(([, , same]) => same !== undefined),
      [true, false, true, false, true]
    )
    assert.notInclude(text, 'id="facets"')
    assert.match(headers.get('x-queuedeck-revision')!, /^\d+$/)
    for (const wrong of ['x', 'abc', '0123456789ab'.repeat(201)]) {
      const answer = await lab.client().json(`/jobs?have=${wrong}`)
      assert.equal(answer.status, 422)
      assert.equal(answer.json.errors[0].field, 'have')
    }
  })

  test('of a list say how new its rows are where what surrounds them is older', async ({
    assert,
  }) => {
    const client = lab.client()
    const look = async () => {
      const { headers } = await client.partial('/jobs', asks('jobs'))
      return ['', 'rows-'].map((of) => Number(headers.get(`x-queuedeck-${of}revision`)))
    }
    const [whole, rows] = await waitFor('a change between two looks', async () => {
      const before = await look()
      await lab.dispatch(Echo, {}, { queue: 'idle' })
      const after = await look()
      return after[1]! > before[1]! && after[1]! > after[0]! && after
    })
    assert.isAbove(rows!, whole!)
    await waitFor('both to be new', async () => {
      const [all, of] = await look()
      return all === of && all! >= rows!
    })
  })

  test('cost one rendering however many look at the same list', async ({ assert }) => {
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const { views, reader } = dashboard
    const counts = { rendered: 0, read: 0 }
    const [render, page] = [views.render.bind(views), reader.page.bind(reader)]
    views.render = (...given) => (counts.rendered++, render(...given))
    reader.page = (...given) => (counts.read++, page(...given))
    const look = (refresh: string, user = 'guest') =>
      Promise.all(
        Array.from({ length: 50 }, () =>
          lab.client().partial('/jobs', { ...asks(refresh), 'x-user': user })
        )
      )
    try {
      const all = await look('jobs')
      assert.isTrue(all.every(({ status, text }) => status === 200 && text.includes('id="rows"')))
      // Each is told what stands around the list.
      assert.isTrue(all.every(({ headers }) => headers.get('x-queuedeck-alerts') === '0'))
      assert.isTrue(all.every(({ headers }) => headers.get('x-queuedeck-away') !== null))
      const rows = await look('rows')
      // A change of an earlier test's job may arrive in between: then each is made once more.
      const revisions = new Set(
        [...all, ...rows].map(({ headers }) => headers.get('x-queuedeck-revision'))
      ).size
      assert.isBelow(revisions, 10)
      // And where a hundred requests take seconds, what was made for the first is too old for the last.
      assert.isAtMost(counts.read, 10 * revisions)
      assert.isAtMost(counts.rendered, 20 * revisions)

      // Whoever may do more gets a rendering of their own, and what changed is there at once.
      const boss = await look('jobs', 'boss')
      assert.isTrue(boss.every(({ text }) => text.includes('/cancel"')))
      assert.isTrue(all.every(({ text }) => !text.includes('/cancel"')))
      const id = await lab.dispatch(Echo, {}, { queue: 'idle' })
      const after = await look('rows')
      assert.isTrue(after.every(({ text }) => text.includes(id)))
    } finally {
      Object.assign(views, { render })
      Object.assign(reader, { page })
    }
  })

  test('of {refresh} answer 304 as long as nothing that is shown has changed')
    .with([
      { refresh: 'jobs', path: () => `/jobs?${RANGE}` },
      { refresh: 'job', path: () => `/jobs/${ids[0]}` },
      { refresh: 'sheet-job', path: () => `/jobs/${ids[0]}` },
    ])
    .run(async ({ assert }, { refresh, path }) => {
      const client = lab.client()
      // How long a job waits is shown, and goes on until it ends.
      await client.post(`/jobs/${ids[0]}/cancel`, {}, { 'x-user': 'boss' })
      await lab.record(ids[0]!, 'cancelled')
      await waitFor('the audit to tell of it', async () => {
        const { data } = (await client.json(`/audit?target=${ids[0]}`)).json
        return data[0]?.action === 'cancel' && data[0].outcome === 'done'
      })
      const first = await client.partial(path(), asks(refresh))
      assert.equal(first.status, 200)
      const tag = first.headers.get('etag')
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      const second = await client.partial(path(), asks(refresh, tag))
      assert.equal(second.status, 304)
      assert.equal(second.text, '')
      assert.equal(second.headers.get('etag'), tag)
      assert.match(second.headers.get('x-queuedeck-revision')!, /^\d+$/)

      const boss = { ...asks(refresh, tag), 'x-user': 'boss' }
      assert.equal((await client.partial(path(), boss)).status, 200)
      await client.post(`/jobs/${ids[0]}/restart`, {}, { 'x-user': 'boss' })
      await lab.record(ids[0]!, 'pending')
      const third = await client.partial(path(), asks(refresh, tag))
      assert.equal(third.status, 200)
      assert.notEqual(third.headers.get('etag'), tag)
    })

  test('of programs that ask for JSON answer 304 too', async ({ assert }) => {
    const client = lab.client()
    for (const path of [
      '/jobs',
      `/jobs/${ids[1]}`,
      `/jobs/${ids[1]}/result`,
      `/monitors/${ids[1]}`,
    ]) {
      const first = await client.json(path)
      const tag = first.headers.get('etag')!
      for (const known of [tag, `"x", ${tag}`, tag.replace('W/', ''), '*']) {
        assert.equal((await client.json(path, { 'if-none-match': known })).status, 304, path)
      }
    }
  })

  test('of people who ask are never answered from what others were given', async ({ assert }) => {
    const client = lab.client()
    await client.partial('/jobs', asks('jobs'))
    const page = await client.page('/jobs', { 'if-none-match': 'W/"anything"' })
    assert.equal(page.status, 200)
    assert.isNull(page.headers.get('etag'))
    assert.equal(page.headers.get('cache-control'), 'no-store, private')
  })
})
