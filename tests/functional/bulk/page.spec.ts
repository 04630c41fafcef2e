import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo } from '../dashboard/jobs.ts'
import { DashboardLab } from '../dashboard/lab.ts'

test.group('Bulk on the dashboard', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({
      classes: CLASSES,
      access: {
        view: () => true,
        manage: (ctx, target) =>
          ctx.request.header('x-who') !== 'guest' && target?.queue !== 'private',
        actor: () => ({ id: '7', name: 'Ada' }),
      },
    })
    ;(await lab.app.container.make('queuedeck.bulk.service')).start()
    return () => lab.close()
  })

  const delayed = (queue = 'mail') => lab.dispatch(Echo, {}, { queue, delay: '1h' })
  const done = (id: string, params = '') =>
    waitFor('the operation to end', async () => {
      const { json } = await lab.client().json(`/bulk/${id}${params}`)
      return json.operation.endedAt !== null && json
    })

  test('begins as JSON, tells of each job, and checks rights job by job', async ({ assert }) => {
    const client = lab.client()
    const [own, theirs] = [await delayed(), await delayed('private')]
    const { status, json, headers } = await client.post('/bulk', {
      action: 'cancel',
      ids: [own, theirs],
    })
    assert.equal(status, 202)
    assert.include(headers.get('location'), `/bulk/${json.operation.id}`)
    const strange = await client.post('/bulk', { action: 'cancel', ids: [own], priority: 3 })
    assert.equal(strange.json.errors[0].field, 'priority')
    assert.containsSubset(json.operation, { total: 2, action: 'cancel', actor: { name: 'Ada' } })
    const { operation, data, page } = await done(json.operation.id)
    assert.equal(operation.state, 'done')
    assert.deepEqual(operation.counts, { done: 1, requested: 0, tooLate: 0, refused: 1 })
    assert.deepEqual(data, [
      { id: own, type: Echo.options.name, outcome: 'done', reason: null },
      {
        id: theirs,
        type: Echo.options.name,
        outcome: 'refused',
        reason: 'You may not act on this job',
      },
    ])
    assert.isNull(page.next)
    assert.lengthOf((await done(json.operation.id, '?outcome=refused')).data, 1)
    const first = await done(json.operation.id, '?limit=1')
    const second = await done(json.operation.id, `?cursor=${first.page.next}`)
    assert.deepEqual([...first.data, ...second.data], data)
    assert.equal((await lab.record(theirs)).status, 'scheduled')
    const { text } = await client.page(`/bulk/${json.operation.id}`)
    assert.include(text, 'Cancel 2 jobs')
    assert.include(text, 'You may not act on this job')
    const stopped = await client.ask('DELETE', `/bulk/${json.operation.id}`, {
      accept: 'application/json',
      headers: { 'x-csrf-token': (await client.token())! },
    })
    assert.equal(stopped.json.outcome, 'too_late')
  })

  test('works without scripts: ticks, a question with the exact count, then its page', async ({
    assert,
  }) => {
    const client = lab.client()
    const ids = await Promise.all(Array.from({ length: 30 }, () => delayed()))
    const list = await client.page('/jobs')
    assert.include(list.text, `name="ids" form="bulk-form" value="${ids[0]}"`)
    assert.match(list.text, /<noscript>.*name="action" value="cancel"/s)
    /** As a browser sends ticked boxes: one name, many times. */
    const fields = new URLSearchParams([
      ['_csrf', (await client.token())!],
      ['action', 'cancel'],
      ...ids.map((id) => ['ids', id]),
    ])
    const confirm = await fetch(client.address('/bulk/confirm'), {
      method: 'POST',
      headers: {
        'accept': 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
        'cookie': client.cookies(),
      },
      body: fields,
    })
    const text = await confirm.text()
    assert.equal(confirm.status, 200)
    assert.include(text, 'Cancel 30 jobs?')
    assert.include(text, 'and 25 more')
    const joined = /name="ids" value="([^"]*)"/.exec(text)![1]
    assert.sameMembers(joined.split(','), ids)
    const answer = await client.submit('/bulk', { action: 'cancel', ids: joined })
    assert.equal(answer.status, 303)
    const id = answer.headers.get('location')!.split('/').at(-1)!
    const { operation } = await done(id)
    assert.equal(operation.counts.done, 30)
    assert.match((await client.page(`/bulk/${id}`)).text, /30 of 30/)
  })

  test('is stopped by those only who may act on all jobs that are left', async ({
    assert,
    cleanup,
  }) => {
    const own = await DashboardLab.open({
      classes: CLASSES,
      access: {
        view: () => true,
        manage: (ctx, target) =>
          target?.queue !== 'private' || ctx.request.header('x-who') === 'chief',
      },
    })
    cleanup(() => own.close())
    const client = own.client()
    const chief = { 'x-who': 'chief' }
    const begin = async (...queues: string[]) => {
      const ids = await Promise.all(
        queues.map((queue) => own.dispatch(Echo, {}, { queue, delay: '1h' }))
      )
      const { json } = await client.post('/bulk', { action: 'cancel', ids }, chief)
      return `/bulk/${json.operation.id}/stop`
    }
    const theirs = await begin('mail', 'private')
    assert.equal((await client.post(theirs)).status, 403)
    assert.equal((await client.post(theirs, {}, chief)).json.outcome, 'requested')
    assert.equal((await client.post(await begin('mail', 'mail'))).json.outcome, 'requested')
  })

  test('refuses what cannot be meant, and begins nothing', async ({ assert }) => {
    const client = lab.client()
    const id = await delayed()
    const many = Array.from({ length: 1_001 }, () => randomUUID())
    for (const [body, field, message] of [
      [{ action: 'explode', ids: [id] }, 'action', /cancel, restart, delete, priority/],
      [{ action: 'cancel', ids: [] }, 'ids', /empty/],
      [{ action: 'cancel', ids: many }, 'ids', /1001 jobs.*1000/],
      [{ action: 'cancel', ids: ['nope'] }, 'ids', /"nope"/],
      [{ action: 'cancel', ids: [{ a: 1 }] }, 'ids', /not the id/],
      [{ action: 'priority', ids: [id] }, 'priority', /missing/],
      [{ action: 'priority', ids: [id], priority: -1 }, 'priority', /"-1"/],
    ] as const) {
      const { status, json } = await client.post('/bulk', body)
      assert.equal(status, 422)
      assert.equal(json.errors[0].field, field)
      assert.match(json.errors[0].message, message)
    }
    /** Readers of forms leave out what is beyond a thousand values: never silently. */
    const form = new URLSearchParams([
      ['_csrf', (await client.token())!],
      ['action', 'cancel'],
      ...many.map((one) => ['ids', one]),
    ])
    const long = await fetch(client.address('/bulk'), {
      method: 'POST',
      headers: { accept: 'application/json', cookie: client.cookies() },
      body: form,
    })
    assert.equal(long.status, 422)
    assert.match(JSON.stringify(await long.json()), /ids/)
    const guest = { 'x-who': 'guest' }
    assert.equal((await client.post('/bulk', { action: 'cancel', ids: [id] }, guest)).status, 403)
    assert.equal((await client.post('/bulk/confirm', { action: 'cancel' }, guest)).status, 403)
    assert.equal((await client.json(`/bulk/${randomUUID()}`)).status, 404)
    assert.equal((await client.json('/bulk/nonsense')).status, 404)
    assert.equal((await lab.record(id)).status, 'scheduled')
  })
})
