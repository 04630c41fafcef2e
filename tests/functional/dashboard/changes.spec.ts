import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Fail, Walk } from './jobs.ts'
import { PREFIX, DashboardLab } from './lab.ts'

test.group('Dashboard | priority and deletion', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    return () => lab.close()
  })

  const transport = () => lab.app.container.make('queuedeck.transport')
  const send = async (method: string, path: string, body?: unknown) => {
    const client = lab.client()
    const headers = { 'x-csrf-token': (await client.token())! }
    return client.ask(method, path, { accept: 'application/json', body, headers })
  }

  test('changes the priority of jobs that wait, in Redis and in the record', async ({ assert }) => {
    const queue = 'lines'
    const ids = [
      await lab.dispatch(Echo, { n: 1 }, { queue }),
      await lab.dispatch(Echo, { n: 2 }, { queue }),
    ]
    const { status, json } = await send('PATCH', `/jobs/${ids[0]}`, { priority: 7 })
    assert.equal(status, 200)
    assert.deepInclude(json, { outcome: 'done', reason: null })
    assert.equal(json.job.priority, 7)
    const { keys, connections } = await transport()
    const { producer } = connections
    assert.deepEqual(await producer.lrange(`${keys.queue(queue)}wait`, 0, -1), [ids[1]])
    assert.equal(await producer.zcard(`${keys.queue(queue)}prioritized`), 1)
    const { events } = await lab.record(ids[0])
    assert.deepInclude(events.at(-1)!.detail as object, { priority: 7 })
    assert.include((await lab.client().page(`/jobs/${ids[0]}`)).text, 'Priority changed')

    assert.equal((await send('PATCH', `/jobs/${ids[0]}`, { priority: 0 })).json.job.priority, 0)
    assert.deepEqual(await producer.lrange(`${keys.queue(queue)}wait`, 0, -1), [...ids])
    const same = (await send('PATCH', `/jobs/${ids[0]}`, { priority: 0 })).json
    assert.equal(same.outcome, 'done')
    assert.match(same.reason, /already/)
  })

  test('a scheduled job keeps its moment and takes its new place when that comes', async ({
    assert,
  }) => {
    const id = await lab.dispatch(Echo, {}, { queue: 'later', delay: '1h' })
    const { dueAt } = await lab.record(id)
    const { job } = (await send('PATCH', `/jobs/${id}`, { priority: 3 })).json
    assert.deepInclude(job, { status: 'scheduled', priority: 3 })
    assert.equal((await lab.record(id)).dueAt, dueAt)
    const { keys, connections } = await transport()
    assert.equal(await connections.producer.hget(keys.job('later', id), 'priority'), '3')
  })

  test('refuses what is no priority, and jobs without a place in line', async ({ assert }) => {
    const id = await lab.dispatch(Echo, {}, { queue: 'lines' })
    for (const priority of [-1, 1.5, 2_097_152, 'high', null, {}, '']) {
      const answer = await send('PATCH', `/jobs/${id}`, { priority })
      assert.equal(answer.status, 422, String(priority))
      assert.equal(answer.json.errors[0].field, 'priority')
    }
    const unknown = await send('PATCH', `/jobs/${id}`, { priority: 1, status: 'completed' })
    assert.match(unknown.json.errors[0].message, /"status" is not known/)
    assert.equal((await send('PATCH', `/jobs/${randomUUID()}`, { priority: 1 })).status, 404)

    const pool = await lab.work({ queues: ['tests'] })
    const running = await lab.dispatch(Walk)
    await lab.record(running, 'running')
    const late = (await send('PATCH', `/jobs/${running}`, { priority: 1 })).json
    assert.equal(late.outcome, 'too_late')
    assert.match(late.reason, /is running/)
    const early = (await send('DELETE', `/jobs/${running}`)).json
    assert.equal(early.outcome, 'refused')
    assert.match(early.reason, /only jobs that have ended/)
    await lab.client().post(`/jobs/${running}/cancel`)
    const done = await lab.dispatch(Echo)
    await lab.record(done, 'completed')
    assert.equal((await send('PATCH', `/jobs/${done}`, { priority: 1 })).json.outcome, 'too_late')
    pool.abort()
    await pool.ended
  })

  test('deletes the record of a job that has ended, all that belongs to it, and its transport', async ({
    assert,
    cleanup,
  }) => {
    const pool = await lab.work({ queues: ['tests'] })
    cleanup(() => pool.abort())
    const id = await lab.dispatch(Fail, { message: 'gone soon' }, { tags: ['a'] })
    await lab.record(id, 'failed')
    const kept = await lab.dispatch(Echo)
    await lab.record(kept, 'completed')
    const { db } = await lab.app.container.make('queuedeck.records')
    const rows = async () => {
      const counts = []
      for (const table of ['jobs', 'bodies', 'attempts', 'events', 'logs', 'tags']) {
        const [{ n }] = await db.all(`select count(*) as n from queuedeck_${table}`)
        counts.push(Number(n))
      }
      return counts
    }
    const before = await rows()
    const { statistics } = (await lab.client().json('')).json
    const { status, json } = await send('DELETE', `/jobs/${id}`)
    assert.equal(status, 200)
    assert.deepInclude(json, { outcome: 'done', reason: null })
    assert.equal(json.job.id, id)
    assert.equal((await lab.client().json(`/jobs/${id}`)).status, 404)
    // Somebody who had read the record before it went asks for its restart only now.
    const job = { queue: 'tests', id, name: 'tests.fail', data: '{}', opts: { timestamp: 1 } }
    const late = await (await transport()).restart('tests', id, { by: 'somebody', run: 2, job })
    assert.deepInclude(late, { outcome: 'too_late', run: 1 })
    assert.isTrue(
      (await rows()).every((count, at) => count < before[at]),
      'every table lost rows'
    )
    const { keys, connections } = await transport()
    const left = await connections.producer.keys(`*${id}*`)
    assert.deepEqual(left, [])
    assert.equal(await connections.producer.sismember(keys.erasing, keys.job('tests', id)), 0)
    await waitFor('the dashboard to count one less', async () => {
      const now = (await lab.client().json('')).json.statistics
      return now.total === statistics.total - 1 && now.failed === statistics.failed - 1
    })
    assert.equal((await lab.record(kept)).status, 'completed')
    assert.equal((await send('DELETE', `/jobs/${id}`)).status, 404)
  })

  test('deletes also what Redis forgot, once of many at once, and never what runs again', async ({
    assert,
  }) => {
    const pool = await lab.work({ queues: ['tests'] })
    const [id, ...others] = await Promise.all(
      Array.from({ length: 6 }, () => lab.dispatch(Fail, { message: 'x' }))
    )
    for (const one of [id, ...others]) await lab.record(one, 'failed')
    // What is restarted stays pending.
    pool.abort()
    await pool.ended
    await waitFor(
      'Redis to forget it',
      async () => (await (await transport()).state('tests', id)) === 'missing'
    )
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => send('DELETE', `/jobs/${id}`))
    )
    assert.lengthOf(
      answers.filter(({ status, json }) => status === 200 && json.outcome === 'done'),
      1,
      JSON.stringify(answers.map(({ status, json }) => [status, json.outcome, json.reason]))
    )
    /** Deleting and restarting at once: one of them, and never a job without a record. */
    for (const both of others) {
      const [deleted, restarted] = await Promise.all([
        send('DELETE', `/jobs/${both}`),
        lab.client().post(`/jobs/${both}/restart`),
      ])
      const isGone = deleted.json.outcome === 'done'
      const isBack = restarted.status === 200 && restarted.json.outcome === 'done'
      assert.notEqual(isGone, isBack, JSON.stringify([deleted.json, restarted.json]))
      if (isGone) assert.equal((await lab.client().json(`/jobs/${both}`)).status, 404)
      else assert.deepInclude(await lab.record(both), { run: 2, status: 'pending' })
    }
  })

  test('both work by form, and ask first', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Echo, {}, { queue: 'forms' })
    const page = await client.page(`/jobs/${id}`)
    assert.include(page.text, `href="${PREFIX}/jobs/${id}/priority"`)
    const question = await client.page(`/jobs/${id}/priority`)
    assert.match(question.text, /<input[^>]*name="priority"[^>]*max="2097151"/)
    const changed = await client.submit(`/jobs/${id}/priority`, { priority: '12' })
    assert.equal(changed.headers.get('location'), `${PREFIX}/jobs/${id}`)
    assert.include((await client.page(`/jobs/${id}`)).text, 'Priority changed')
    assert.equal((await lab.record(id)).priority, 12)

    assert.include((await client.page(`/jobs/${id}/delete`)).text, 'only jobs that have ended')
    await client.submit(`/jobs/${id}/cancel`)
    await lab.record(id, 'cancelled')
    assert.include((await client.page(`/jobs/${id}`)).text, `href="${PREFIX}/jobs/${id}/delete"`)
    assert.include((await client.page(`/jobs/${id}/delete`)).text, 'go for good')
    const gone = await client.submit(`/jobs/${id}/delete`)
    assert.equal(gone.status, 303)
    assert.equal(gone.headers.get('location'), `${PREFIX}/jobs`)
    assert.include((await client.page('/jobs')).text, 'Deleted')
    assert.equal((await client.page(`/jobs/${id}`)).status, 404)
  })
})
