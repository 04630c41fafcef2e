import { test } from '@japa/runner'
import { cutText } from '../../../src/cut_text.ts'
import type { WorkerPool } from '../../../src/worker/worker_pool.ts'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Walk } from './jobs.ts'
import { DashboardLab, PREFIX } from './lab.ts'

const HOSTILE = ['a/b "quoted" \'q\' %2F?#&', 'schlange ünï 🐍', '..', '=x', '<b>bold</b>', 'a+b c']

const path = (name: string) =>
  `/queues/${encodeURIComponent(/^(?:=|\.{1,2}$)/.test(name) ? `=${name}` : name)}`

async function stop(pool: WorkerPool): Promise<void> {
  pool.abort()
  await pool.ended
}

test.group('Queues', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    return () => lab.close()
  })

  const read = async (name: string) => (await lab.client().json(path(name))).json

  test('are listed with what waits, how old it is, and who serves them', async ({ assert }) => {
    const first = await lab.dispatch(Echo, {}, { queue: 'lists' })
    await lab.dispatch(Echo, {}, { queue: 'lists' })
    await lab.dispatch(Echo, {}, { queue: 'lists', delay: '1h' })
    const { json } = await lab.client().json('/queues')
    const queue = json.data.find(({ name }: { name: string }) => name === 'lists')
    assert.deepInclude(queue, { paused: false, workers: 0 })
    assert.deepEqual(queue.depths, {
      pending: 2,
      scheduled: 1,
      blocked: 0,
      running: 0,
      completed: 0,
      failed: 0,
    })
    assert.equal(queue.oldest.id, first)
    assert.deepEqual(queue.limit, { limit: null, configured: null, set: null, running: 0 })
    assert.deepEqual(await read('lists'), queue)
    const { text } = await lab.client().page('/queues')
    assert.include(text, 'no worker has told of it')
    assert.include(text, `href="${PREFIX}/queues/lists"`)
  })

  test('know the workers that serve them: reporting, and not quiet', async ({ assert }) => {
    await lab.dispatch(Echo, {}, { queue: 'served' })
    const { workers } = await lab.app.container.make('queuedeck.transport')
    await workers.report('a', { id: 'a', state: 'active', queues: ['served', 'others'] })
    await workers.report('b', { id: 'b', state: 'quiet', queues: ['served'] })
    await workers.report('c', { id: 'c', state: 'active', queues: ['others'] })
    assert.equal((await read('served')).workers, 1)
    for (const id of ['a', 'b', 'c']) await workers.remove(id)
  })

  test('that are paused give no job to any worker, also not one held back, until resumed', async ({
    assert,
  }) => {
    const client = lab.client()
    const pool = await lab.work({ queues: ['pausing'], concurrency: 4 })
    const limited = await client.ask('PUT', '/queues/pausing/limits', {
      accept: 'application/json',
      body: { limit: 1 },
      headers: { 'x-csrf-token': (await client.token())! },
    })
    assert.equal(limited.status, 200, limited.text)
    const running = await lab.dispatch(Walk, {}, { queue: 'pausing', user: 'ada' })
    await lab.record(running, 'running')
    const held = await lab.dispatch(Echo, {}, { queue: 'pausing', user: 'ada' })

    const put = await client.ask('PUT', '/queues/pausing/pause', {
      accept: 'application/json',
      headers: { 'x-csrf-token': (await client.token())! },
    })
    assert.equal(put.status, 200, put.text)
    assert.deepInclude(put.json, { outcome: 'done', changed: true })
    assert.isTrue(put.json.queue.paused)
    const again = await client.post('/queues/pausing/pause')
    assert.isFalse(again.json.changed)
    const late = await lab.dispatch(Echo, {}, { queue: 'pausing' })
    await client.post(`/jobs/${running}/cancel`)
    await lab.record(running, 'cancelled')
    await waitFor('the slot to be free', async () => (await read('pausing')).depths.running === 0)
    /** Whoever claims again and again would have had them by now: others run meanwhile. */
    const other = await lab.work({ queues: ['beside'] })
    await lab.record(await lab.dispatch(Echo, {}, { queue: 'beside' }), 'completed')
    assert.equal((await lab.record(held)).status, 'pending')
    assert.equal((await lab.record(late)).status, 'pending')
    assert.equal((await read('pausing')).depths.pending, 2)
    assert.include((await client.page('/queues/pausing')).text, '>Resume<')

    const resumed = await client.ask('DELETE', '/queues/pausing/pause', {
      accept: 'application/json',
      headers: { 'x-csrf-token': (await client.token())! },
    })
    assert.isTrue(resumed.json.changed)
    await lab.record(held, 'completed')
    await lab.record(late, 'completed')
    await Promise.all([stop(pool), stop(other)])
  })

  test('are drained: waiting jobs end as cancelled, scheduled ones only when asked for', async ({
    assert,
  }) => {
    const client = lab.client()
    const waiting = await Promise.all(
      [0, 0, 5].map((priority) => lab.dispatch(Echo, {}, { queue: 'drained', priority }))
    )
    const later = await lab.dispatch(Echo, {}, { queue: 'drained', delay: '1h' })
    const question = await client.json('/queues/drained/drain')
    assert.deepInclude(question.json, { pending: 3, scheduled: 1, refused: null })
    assert.include((await client.page('/queues/drained/drain')).text, '3 jobs')

    const { json } = await client.post('/queues/drained/drain')
    assert.deepInclude(json, { outcome: 'done', changed: true, cancelled: 3, requested: 0 })
    assert.deepInclude(json.queue.depths, { pending: 0, scheduled: 1 })
    for (const id of waiting) {
      const job = await lab.record(id, 'cancelled')
      assert.match(job.error?.message ?? '', /queue drained by/)
    }
    assert.equal((await lab.record(later)).status, 'scheduled')

    const all = await client.post('/queues/drained/drain', { scheduled: true })
    assert.equal(all.json.cancelled, 1)
    await lab.record(later, 'cancelled')
    const none = await client.post('/queues/drained/drain', { scheduled: true })
    assert.deepInclude(none.json, { changed: false, cancelled: 0 })

    const pool = await lab.work({ queues: ['drained'] })
    const { json: restarted } = await client.post(`/jobs/${waiting[0]}/restart`)
    assert.equal(restarted.outcome, 'done')
    assert.equal((await lab.record(waiting[0], 'completed')).run, 2)
    await stop(pool)
  })

  test('drain a long queue in the background: all that stood there, nothing that came later', async ({
    assert,
  }) => {
    const { keys, connections } = await lab.app.container.make('queuedeck.transport')
    const script = `for number = 1, 600 do
      redis.call('HSET', KEYS[1] .. number, 'name', 'old', 'data', '{}', 'opts', '{}', 'timestamp', 1000)
      redis.call('LPUSH', KEYS[1] .. 'wait', number)
    end
    for number = 1, 5 do
      redis.call('HSET', KEYS[1] .. 'p' .. number, 'name', 'old', 'data', '{}', 'opts', '{}', 'timestamp', 1000)
      redis.call('ZADD', KEYS[1] .. 'prioritized', number, 'p' .. number)
    end
    -- What was told to end already, and ids without a job, stand on both sides of the others.
    for number = 1, 150 do
      redis.call('HSET', KEYS[1] .. 'c' .. number, 'name', 'old', 'data', '{}', 'opts', '{}', 'timestamp', 1000, 'cr', '{}')
      redis.call('RPUSH', KEYS[1] .. 'wait', 'c' .. number)
      redis.call('LPUSH', KEYS[1] .. 'wait', 'gone' .. number)
    end`
    await lab.dispatch(Echo, {}, { queue: 'long' })
    await connections.producer.eval(script, 1, keys.queue('long'))
    const { beginDrain } = await lab.app.container.make('queuedeck.dashboard')
    const ada = { id: '1', name: 'Ada', via: 'page' } as const
    const begun = await beginDrain.handle('long', ada, { scheduled: false, patience: 0 })
    assert.equal(begun.outcome, 'requested')
    const client = lab.client()
    const background = `/bulk/${begun.operation}`
    const { operation } = (await client.json(background)).json
    assert.containSubset(operation, { action: 'drain', drain: { queue: 'long', scheduled: false } })
    const late = await lab.dispatch(Echo, {}, { queue: 'long' })
    const ended = await waitFor('the end to be in the audit', async () => {
      const { json } = await lab.client().json('/audit?target=long&action=drain')
      return json.data[0]?.outcome === 'done' && json.data[0]
    })
    assert.deepInclude(ended.detail, { cancelled: 606, requested: 0 })
    assert.equal(await connections.producer.zcard(`${keys.queue('long')}failed`), 606)
    assert.equal((await lab.record(late)).status, 'pending')
    assert.equal(await connections.producer.llen(`${keys.queue('long')}wait`), 301)

    const done = (await client.json(background)).json.operation
    assert.containSubset(done, { state: 'done', total: 606, left: 0, counts: { done: 606 } })
    const page = (await client.page(background)).text
    assert.include(page, 'Drain long')
    assert.include(page, '606 of 606')
    assert.notInclude(page, 'id="bulk-stop"')
    assert.deepEqual(await connections.producer.keys(`${keys.prefix}~draining:*`), [])
  })

  test('drain what a limit holds back and leave what runs', async ({ assert }) => {
    const client = lab.client()
    const pool = await lab.work({ queues: ['crowd'], concurrency: 10 })
    const ids = []
    for (let index = 0; index < 6; index++) {
      ids.push(await lab.dispatch(Walk, {}, { queue: 'crowd', user: 'grace' }))
    }
    await waitFor('three to run', async () => (await read('crowd')).depths.running === 3)
    const { json } = await client.post('/queues/crowd/drain')
    assert.equal(json.cancelled, 3)
    const ended = await Promise.all(ids.slice(3).map((id) => lab.record(id, 'cancelled')))
    assert.lengthOf(ended, 3)
    for (const id of ids.slice(0, 3)) assert.equal((await lab.record(id)).status, 'running')
    for (const id of ids.slice(0, 3)) await client.post(`/jobs/${id}/cancel`)
    await Promise.all(ids.map((id) => lab.record(id, 'cancelled')))
    await stop(pool)
  })

  test('have limits that are set, lifted and reset, and refuse what is none', async ({
    assert,
  }) => {
    const client = lab.client()
    await lab.dispatch(Echo, {}, { queue: 'limited' })
    const set = async (limit: unknown) =>
      client.ask('PUT', '/queues/limited/limits', {
        accept: 'application/json',
        body: { limit },
        headers: { 'x-csrf-token': (await client.token())! },
      })
    const five = await set(5)
    assert.deepInclude(five.json.queue.limit, { limit: 5, configured: null, running: 0 })
    assert.isString(five.json.queue.limit.set.by)
    assert.isNull((await set(null)).json.queue.limit.limit)
    assert.isNull((await set('default')).json.queue.limit.set)
    for (const bad of [
      0,
      -1,
      1.5,
      1_000_001,
      1e21,
      '0',
      '-1',
      '1.5',
      '1e3',
      'NaN',
      'many',
      [],
      {},
      true,
      undefined,
    ]) {
      const answer = await set(bad)
      assert.equal(answer.status, 422, `${JSON.stringify(bad)} ${answer.text}`)
      assert.equal(answer.json.errors[0].field, 'limit')
    }
    assert.isNull((await read('limited')).limit.limit)
  })

  test('work by forms, without scripts', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Echo, {}, { queue: 'forms' })
    const paused = await client.submit('/queues/forms/pause', { back: 'queues' })
    assert.equal(paused.status, 303)
    assert.equal(paused.headers.get('location'), `${PREFIX}/queues`)
    const list = await client.page('/queues')
    assert.match(list.text, /role="status"[^>]*>[\s\S]{0,300}Queue forms is paused/)
    assert.include(list.text, `formaction="${PREFIX}/queues/forms/resume"`)

    await client.submit('/queues/forms/resume')
    assert.isFalse((await read('forms')).paused)
    await client.submit('/queues/forms/limits', { limit: '7' })
    assert.equal((await read('forms')).limit.limit, 7)
    assert.include((await client.page('/queues/forms')).text, 'Back to the configuration')
    for (const bad of ['0', '-1', '2.5', '1000001', 'NaN', '1e3', 'x'.repeat(5_000)]) {
      const answer = await client.submit('/queues/forms/limits', { limit: bad })
      assert.equal(answer.status, 422, bad.slice(0, 20))
      assert.include(
        answer.text,
        `${cutText(bad, 40)}&quot; cannot be a limit: give a whole number`
      )
    }
    assert.equal((await read('forms')).limit.limit, 7)
    await client.submit('/queues/forms/limits', { limit: '' })
    assert.isNull((await read('forms')).limit.limit)
    await client.submit('/queues/forms/drain')
    await lab.record(id, 'cancelled')
    assert.include((await client.page('/queues/forms')).text, 'Queue forms: 1 job cancelled')
  })

  for (const name of HOSTILE) {
    test('have addresses whatever they are called: {$self}', async ({ assert }) => {
      const client = lab.client()
      const id = await lab.dispatch(Echo, {}, { queue: name })
      const page = await client.page('/queues')
      assert.notInclude(page.text, '<b>bold</b>')
      const links = [...page.text.matchAll(/href="([^"]*)" id="open-queue-/g)].map(([, url]) => url)
      assert.include(
        links.map((url) => url.replace(/&#(?:39|x27);/g, "'")),
        `${PREFIX}${path(name)}`
      )
      assert.equal((await read(name)).name, name)
      assert.equal((await client.page(path(name))).status, 200)
      assert.isTrue((await client.post(`${path(name)}/pause`)).json.queue.paused)
      const back = await client.submit(`${path(name)}/resume`)
      assert.equal(back.headers.get('location'), `${PREFIX}${path(name)}`)
      assert.equal((await client.post(`${path(name)}/drain`)).json.cancelled, 1)
      await lab.record(id, 'cancelled')
    }).with([name])
  }

  test('that nobody knows are not found, and not made', async ({ assert }) => {
    const client = lab.client()
    for (const address of ['/queues/unheard', '/queues/unheard/drain']) {
      assert.equal((await client.json(address)).status, 404, address)
    }
    for (const action of ['pause', 'resume', 'drain']) {
      const answer = await client.post(`/queues/unheard/${action}`)
      assert.equal(answer.status, 404)
      assert.equal(answer.json.errors[0].code, 'E_QUEUE_NOT_FOUND')
    }
    assert.equal((await client.json('/queues/a%3Ab')).status, 422)
    const { json } = await client.json('/queues')
    assert.notInclude(
      json.data.map(({ name }: { name: string }) => name),
      'unheard'
    )
  })

  test('refresh with a tag, and tell open pages of a pause', async ({ assert, cleanup }) => {
    const client = lab.client()
    await lab.dispatch(Echo, {}, { queue: 'live' })
    const headers = { 'x-queuedeck-refresh': 'queues' }
    const first = await client.partial('/queues/live', headers)
    assert.match(first.text, /^\s*<div class="page" id="queues"/)
    const tag = first.headers.get('etag')!
    const same = await client.partial('/queues/live', { ...headers, 'if-none-match': tag })
    assert.equal(same.status, 304)

    const stream = await client.stream('/stream?page=queues')
    cleanup(() => stream.close())
    await waitFor('the stream', () => stream.named('hello').length > 0)
    const before = stream.named('changed').length
    await client.post('/queues/live/pause')
    await waitFor('the page to be told', () => stream.named('changed').length > before)
    const other = await client.partial('/queues/live', { ...headers, 'if-none-match': tag })
    assert.equal(other.status, 200)
  })
})

test.group('Queues | access', () => {
  test('show to those who may look, and act only for those who may manage that queue', async ({
    assert,
    cleanup,
  }) => {
    const lab = await DashboardLab.open({
      classes: CLASSES,
      access: { view: () => true, manage: (_, target) => !target || target.queue === 'mine' },
    })
    cleanup(() => lab.close())
    const client = lab.client()
    await lab.dispatch(Echo, {}, { queue: 'mine' })
    const id = await lab.dispatch(Echo, {}, { queue: 'theirs' })
    const page = await client.page('/queues')
    assert.include(page.text, `${PREFIX}/queues/mine/pause`)
    assert.notInclude(page.text, `${PREFIX}/queues/theirs/pause`)
    assert.notInclude((await client.page('/queues/theirs')).text, 'id="limit-set"')
    assert.isString((await client.json('/queues/theirs/drain')).json.refused)
    for (const action of ['pause', 'resume', 'drain', 'limits']) {
      const answer = await client.post(`/queues/theirs/${action}`, { limit: 1 })
      assert.equal(answer.status, 403, action)
      assert.equal((await client.post(`/queues/unheard/${action}`)).status, 403)
    }
    assert.equal((await lab.record(id)).status, 'pending')
    assert.isFalse((await client.json('/queues/theirs')).json.paused)
    assert.isTrue((await client.post('/queues/mine/pause')).json.changed)
    const forged = await client.ask('POST', '/queues/mine/resume', {
      accept: 'application/json',
      body: {},
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    assert.equal(forged.status, 403)
    assert.isTrue((await client.json('/queues/mine')).json.paused)
  })
})
