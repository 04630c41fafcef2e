import { randomUUID } from 'node:crypto'
import vine from '@vinejs/vine'
import { test } from '@japa/runner'
import { Job, type JobOptions } from '#queuedeck'
import { waitFor } from '#tests/helpers/wait'
import { Echo, Fail } from './jobs.ts'
import { PREFIX, DashboardLab } from './lab.ts'

type Secretive = {
  user: { password: string; list: { apiKey: string }[] }
  n: number
  note?: string
}

/** Answers nothing of its payload, keeps it for the test. */
class Vault extends Job<Secretive, void> {
  static options: JobOptions = { name: 'tests.vault', queue: 'tests' }
  static payload = vine.create({
    user: vine.object({
      password: vine.string(),
      list: vine.array(vine.object({ apiKey: vine.string() })),
    }),
    n: vine.number().max(100),
    note: vine.string().optional(),
  })
  static seen: Secretive[] = []

  execute() {
    Vault.seen.push(this.payload)
    if (this.payload.n === 0) throw new Error('zero')
  }
}

const SECRETS = { user: { password: 'p-111', list: [{ apiKey: 'k-222' }] }, n: 1 }

test.group('Dashboard | run again', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Echo, Fail, Vault] })
    await lab.work({ queues: ['tests', 'urgent'] })
    return () => lab.close()
  })
  group.each.setup(() => {
    Vault.seen = []
  })

  const again = (id: string, body?: object) => lab.client().post(`/jobs/${id}/run-again`, body)
  const ended = async (Class: never, payload: unknown, options = {}) => {
    const id = await lab.dispatch(Class, payload, options)
    await waitFor('its end', async () =>
      ['completed', 'failed'].includes((await lab.record(id)).status)
    )
    return id
  }

  test('runs a job of a schedule whatever its policies say: somebody asks for it', async ({
    assert,
  }) => {
    const transport = await lab.app.container.make('queuedeck.transport')
    const schedule = { id: randomUUID(), due: Date.now() - 3_600_000, overlap: 'skip' as const }
    const mark = { ...schedule, missed: 'skip' as const }
    const id = randomUUID()
    const opts = { timestamp: Date.now(), qd: { schedule: mark } }
    await transport.add([{ id, queue: 'tests', name: 'tests.echo', data: '{}', opts }])
    await transport.cancel('tests', id, { by: 'ada', reason: 'no' })
    await waitFor('its end', async () =>
      ['completed', 'cancelled'].includes((await lab.record(id)).status)
    )
    /** Another run of the schedule has not ended. */
    const { keys, connections } = transport
    const later = await lab.dispatch(Echo as never, {}, { delay: '1d' })
    await connections.producer.hset(keys.schedule(mark.id), 'current', keys.job('tests', later))
    const { json } = await again(id)
    const made = await lab.record(json.job.id, 'completed')
    assert.include(made.options, '"manual":true')
    await transport.cancel('tests', later, { by: 'ada', reason: 'no' })
  })

  test('makes a new job with the same payload and options, linked both ways', async ({
    assert,
  }) => {
    const id = await ended(
      Echo as never,
      { a: 1 },
      { queue: 'urgent', user: 7, tags: ['x'], attempts: 3, priority: 5, delay: '10ms' }
    )
    const { json } = await again(id)
    assert.deepInclude(json, { outcome: 'done', reason: null })
    assert.notEqual(json.job.id, id)
    const made = await lab.record(json.job.id, 'completed')
    assert.containsSubset(made, {
      queue: 'urgent',
      type: 'tests.echo',
      user: '7',
      tags: ['x'],
      priority: 5,
      payload: '{"a":1}',
      run: 1,
    })
    assert.equal(made.attempts.max, 3)
    const old = (await lab.client().json(`/jobs/${id}`)).json
    assert.deepInclude(old, {
      run: 1,
      status: 'completed',
      runAgainOf: null,
      ranAgainAs: [made.id],
    })
    assert.equal((await lab.client().json(`/jobs/${made.id}`)).json.runAgainOf, id)
    assert.include(
      (await lab.client().page(`/jobs/${id}`)).text,
      `href="${PREFIX}/jobs/${made.id}"`
    )
    assert.include(
      (await lab.client().page(`/jobs/${made.id}`)).text,
      `href="${PREFIX}/jobs/${id}"`
    )
  })

  test('gives jobs their real secrets: again, edited, restarted, and when Redis forgot them', async ({
    assert,
  }) => {
    const id = await ended(Vault as never, { ...SECRETS, n: 0 })
    const page = await lab.client().page(`/jobs/${id}/edit-and-run`)
    const shown = /<textarea[^>]*>\n([\s\S]*?)<\/textarea>/
      .exec(page.text)![1]
      .replaceAll('&quot;', '"')
    for (const secret of ['p-111', 'k-222']) assert.notInclude(page.text, secret)
    const edited = shown.replace('"n": 0', '"n": 2')
    const form = await lab.client().submit(`/jobs/${id}/run-again`, { payload: edited })
    assert.equal(form.status, 303)
    const made = form.headers.get('location')!.split('/').at(-1)!
    await lab.record(made, 'completed')
    assert.deepEqual(Vault.seen.at(-1), { ...SECRETS, n: 2 })
    assert.equal((await lab.record(made)).payload, JSON.stringify({ ...SECRETS, n: 2 }))

    /** Programs send back what they were shown. */
    const { payload } = (await lab.client().json(`/jobs/${id}`)).json
    const sent = (await again(id, { payload: { ...payload, n: 3, note: 'by program' } })).json
    await lab.record(sent.job.id, 'completed')
    assert.deepEqual(Vault.seen.at(-1), { ...SECRETS, n: 3, note: 'by program' })

    const transport = await lab.app.container.make('queuedeck.transport')
    await waitFor(
      'Redis to forget it',
      async () => (await transport.state('tests', id)) === 'missing'
    )
    assert.equal((await lab.client().post(`/jobs/${id}/restart`)).json.outcome, 'done')
    await waitFor('run 2', () => Vault.seen.length === 4)
    assert.deepEqual(Vault.seen.at(-1), { ...SECRETS, n: 0 })

    const moved = await again(id, { payload: { ...SECRETS, note: '[redacted]' } })
    assert.equal(moved.status, 422)
    assert.match(moved.json.errors[0].message, /note says \[redacted\]/)
    const dotted = await again(id, { payload: { ...SECRETS, 'user.password': '[redacted]' } })
    assert.equal(dotted.status, 422)
    assert.match(dotted.json.errors[0].message, /user\.password says \[redacted\]/)
  })

  test('shows beside the field what the schema refuses, and keeps what was typed', async ({
    assert,
  }) => {
    const id = await ended(Vault as never, SECRETS)
    const jobs = async () => (await lab.client().json('')).json.statistics.total
    const before = (await jobs()) + 1
    for (const [typed, message] of [
      ['{"n": 1}', /user/],
      [JSON.stringify({ ...SECRETS, n: 1_000 }), /must not be greater than 100/],
      ['{"n":', /no JSON/],
      ['', /no JSON/],
    ] as const) {
      const answer = await lab.client().submit(`/jobs/${id}/run-again`, { payload: typed })
      assert.equal(answer.status, 422, typed.slice(0, 50))
      const [, error] = /id="edit-error"[^>]*>([\s\S]*?)<\/p>/.exec(answer.text)!
      assert.match(error, message)
      if (typed.length < 1_000) assert.include(answer.text.replaceAll('&quot;', '"'), typed)
    }
    /** Of a type that has no schema too. */
    const echo = await ended(Echo as never, {})
    const deep = { payload: '['.repeat(501) + ']'.repeat(501) }
    const refused = await lab.client().submit(`/jobs/${echo}/run-again`, deep)
    assert.match(refused.text, /id="edit-error"[^>]*>[^<]*nested too deep/)
    const { status, json } = await again(id, { payload: { n: 'x' } })
    assert.equal(status, 422)
    assert.equal(json.errors[0].code, 'E_PAYLOAD_INVALID')
    assert.equal((await again(id, { payload: SECRETS, type: 'other' })).status, 422)
    assert.equal(await jobs(), before)
  })

  test('keeps the digits and the order of what was typed, and hostile texts are texts', async ({
    assert,
  }) => {
    const id = await ended(Echo as never, { a: '</textarea><script>x</script>' })
    const page = await lab.client().page(`/jobs/${id}/edit-and-run`)
    assert.notInclude(page.text, '</textarea><script>')
    const typed = '{ "2": 1970670598291982291, "1": 1.50, "1": "é" }'
    const form = await lab.client().submit(`/jobs/${id}/run-again`, { payload: typed })
    const made = form.headers.get('location')!.split('/').at(-1)!
    assert.equal((await lab.record(made)).payload, '{"2":1970670598291982291,"1":1.50,"1":"é"}')
  })

  test('refuses what has not ended, and edits of what is hidden or unknown', async ({ assert }) => {
    const waiting = await lab.dispatch(Echo, {}, { delay: '1h' })
    assert.match((await again(waiting)).json.reason, /is scheduled: only jobs that have ended/)
    assert.equal((await again(randomUUID())).status, 404)
    const secret = await ended(Echo as never, { a: 'hidden-1' }, { sensitive: true })
    const page = await lab.client().page(`/jobs/${secret}/edit-and-run`)
    assert.notInclude(page.text, 'hidden-1')
    assert.include(page.text, 'cannot be edited')
    assert.equal((await again(secret, { payload: {} })).status, 422)
    const { job } = (await again(secret)).json
    assert.containsSubset(await lab.record(job.id, 'completed'), {
      sensitive: true,
      payload: '{"a":"hidden-1"}',
    })

    const transport = await lab.app.container.make('queuedeck.transport')
    const id = randomUUID()
    await transport.add([
      {
        queue: 'tests',
        id,
        name: 'nobody.knows',
        data: '{"a":1}',
        opts: { timestamp: Date.now() },
      },
    ])
    await lab.record(id, 'failed')
    assert.equal((await again(id, { payload: {} })).json.errors[0].code, 'E_UNKNOWN_TYPE')
    assert.equal((await again(id)).json.outcome, 'done')
  })

  test('a unique key that another job holds keeps it from running again', async ({ assert }) => {
    const unique = { key: 'again' }
    const id = await ended(Echo as never, {}, { unique })
    const holder = await lab.dispatch(Echo, {}, { unique, delay: '1h' })
    const { outcome, reason } = (await again(id)).json
    assert.equal(outcome, 'refused')
    assert.include(reason, holder)
  })

  test('what it has to itself for a time goes over to the job that runs it again', async ({
    assert,
  }) => {
    const unique = { key: 'window', until: '1h' }
    for (const awaited of [[], [await ended(Echo as never, {})]]) {
      const key = `window ${awaited.length}`
      const id = await ended(Echo as never, {}, { unique: { ...unique, key }, waitFor: awaited })
      const { json } = await again(id)
      assert.equal(json.outcome, 'done')
      assert.include((await again(id)).json.reason, json.job.id)
      assert.equal(await lab.dispatch(Echo, {}, { unique: { ...unique, key } }), json.job.id)
      await lab.record(json.job.id, 'completed')
      assert.equal((await again(json.job.id)).json.outcome, 'done')
    }
  })

  test('a deleted job does not come back by the word that it ran again', async ({ assert }) => {
    const id = await ended(Echo as never, {})
    const client = lab.client()
    const headers = { 'x-csrf-token': (await client.token())! }
    const [, made] = await Promise.all([
      client.ask('DELETE', `/jobs/${id}`, { accept: 'application/json', headers }),
      again(id),
    ])
    if (made.status === 200) await lab.record(made.json.job.id, 'completed')
    const transport = await lab.app.container.make('queuedeck.transport')
    await transport.connections.producer.xadd(
      transport.keys.events('tests'),
      '*',
      'event',
      'run-again',
      'jobId',
      randomUUID(),
      'job',
      id
    )
    const last = await lab.dispatch(Echo)
    await lab.record(last, 'completed')
    const { json } = await client.json(`/jobs/${id}`)
    assert.equal(json.errors?.[0].code, 'E_JOB_NOT_FOUND', JSON.stringify(json).slice(0, 300))
  })

  test('works by form', async ({ assert }) => {
    const client = lab.client()
    const id = await ended(Echo as never, { form: true })
    const page = await client.page(`/jobs/${id}`)
    assert.include(page.text, `href="${PREFIX}/jobs/${id}/run-again"`)
    assert.include(page.text, `href="${PREFIX}/jobs/${id}/edit-and-run"`)
    assert.include((await client.page(`/jobs/${id}/run-again`)).text, 'linked to this one')
    const { headers } = await client.submit(`/jobs/${id}/run-again`)
    const made = headers.get('location')!.split('/').at(-1)!
    assert.notEqual(made, id)
    assert.include((await client.page(`/jobs/${made}`)).text, 'Runs again as this new job')
    assert.equal((await lab.record(made, 'completed')).result, '{"form":true}')
  })
})
