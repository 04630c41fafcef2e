import { test } from '@japa/runner'
import { Job } from '#queuedeck'
import { CLASSES, Echo, Fail, Walk } from './jobs.ts'
import { PREFIX, DashboardLab } from './lab.ts'
import { stopwatch } from '#tests/helpers/stopwatch'

test.group('Dashboard | actions', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES })
    await lab.work()
    return () => lab.close()
  })

  /** A job that no worker takes. */
  const waiting = () => lab.dispatch(Echo, {}, { queue: 'without a worker', delay: '1h' })

  test('cancels a job that waits', async ({ assert }) => {
    const client = lab.client()
    const id = await waiting()
    const { status, json } = await client.post(`/jobs/${id}/cancel`, { reason: 'not needed' })
    assert.equal(status, 200)
    assert.deepInclude(json, { outcome: 'done', reason: null })
    assert.deepInclude(json.job, { id, status: 'cancelled', stopping: false })
    const { events } = (await client.json(`/jobs/${id}`)).json
    assert.include(JSON.stringify(events), 'not needed')

    const again = await client.post(`/jobs/${id}/cancel`)
    assert.equal(again.status, 200)
    assert.equal(again.json.outcome, 'too_late')
    assert.match(again.json.reason, /cancelled already/)
    assert.equal(again.json.job.status, 'cancelled')
  })

  test('tells a running job to stop', async ({ assert }) => {
    const id = await lab.dispatch(Walk)
    await lab.record(id, 'running')
    const asked = stopwatch()
    const { json } = await lab.client().post(`/jobs/${id}/cancel`)
    assert.equal(json.outcome, 'requested')
    // The answer waits for the end, but not for ever.
    assert.include(['running', 'cancelled'], json.job.status)
    const { status } = await lab.record(id, 'cancelled')
    assert.equal(status, 'cancelled')
    assert.isBelow(asked(), 2_000)
  })

  test('comes too late for a job that has ended', async ({ assert }) => {
    const id = await lab.dispatch(Echo)
    await lab.record(id, 'completed')
    const { json } = await lab.client().post(`/jobs/${id}/cancel`)
    assert.equal(json.outcome, 'too_late')
    assert.match(json.reason, /completed already/)
    assert.equal(json.job.status, 'completed')
  })

  test('restarts a failed job as its next run, and no other', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Fail, { message: 'once more' })
    await lab.record(id, 'failed')
    const { json } = await client.post(`/jobs/${id}/restart`)
    assert.deepInclude(json, { outcome: 'done', reason: null })
    assert.equal(json.job.run, 2)
    await lab.record(id, 'failed')
    const details = (await client.json(`/jobs/${id}`)).json
    assert.equal(details.run, 2)
    assert.deepEqual(
      details.runs.map(({ run, status }: { run: number; status: string }) => [run, status]),
      [[1, 'failed']]
    )
    const page = await client.page(`/jobs/${id}`)
    assert.include(page.text, 'Run 1 failed')

    const done = await lab.dispatch(Echo)
    await lab.record(done, 'completed')
    const refused = (await client.post(`/jobs/${done}/restart`)).json
    assert.equal(refused.outcome, 'refused')
    assert.match(refused.reason, /only failed and cancelled jobs restart/)
    const early = (await client.post(`/jobs/${await waiting()}/restart`)).json
    assert.equal(early.outcome, 'too_late')
    assert.match(early.reason, /has not ended/)
  })

  test('works by form: asks, acts, leads to the job and says so once', async ({ assert }) => {
    const client = lab.client()
    const id = await waiting()
    const question = await client.page(`/jobs/${id}/cancel`)
    const forms = question.text.match(/<form[\s\S]*?<\/form>/gi) ?? []
    const form = forms.find((one) => one.includes(`action="${PREFIX}/jobs/${id}/cancel"`))
    assert.match(form!, /method="post"/i)
    assert.include(form, 'name="_csrf"')

    const answer = await client.submit(`/jobs/${id}/cancel`)
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), `${PREFIX}/jobs/${id}`)
    const told = await client.page(`/jobs/${id}`)
    assert.match(told.text, /role="(?:status|alert)"[^>]*>[\s\S]{0,300}Cancelled/)
    assert.include(told.text, `${PREFIX}/jobs/${id}/restart`)

    const late = await client.submit(`/jobs/${id}/cancel`)
    assert.equal(late.status, 303)
    assert.include(
      (await client.page(`/jobs/${id}`)).text,
      'Too late: The job is cancelled already'
    )
    assert.notInclude((await client.page(`/jobs/${id}`)).text, 'Too late')

    const restarted = await client.submit(`/jobs/${id}/restart`)
    assert.equal(restarted.status, 303)
    assert.equal((await lab.record(id)).run, 2)
  })

  test('says why an action is not offered', async ({ assert }) => {
    const id = await lab.dispatch(Echo)
    await lab.record(id, 'completed')
    const { text } = await lab.client().page(`/jobs/${id}/restart`)
    assert.match(text, /only failed and cancelled jobs restart/)
    const { json } = await lab.client().json(`/jobs/${id}/restart`)
    assert.match(json.refused, /only failed and cancelled jobs restart/)
  })

  test('keeps the strict policy of the host on every answer', async ({ assert }) => {
    const client = lab.client()
    const id = await waiting()
    const paths = ['', '/jobs', `/jobs/${id}`, `/jobs/${id}/cancel`, '/nothing', '/jobs?limit=0']
    for (const path of paths) {
      const { headers, text } = await client.page(path)
      const policy = headers.get('content-security-policy')!
      assert.include(policy, "script-src 'self'", path)
      assert.notInclude(policy, 'unsafe', path)
      assert.notMatch(text, /\sstyle="|\son[a-z]+="|\shx-on|javascript:/, path)
      for (const [script] of text.matchAll(/<script[^>]*>/g)) assert.include(script, 'src=')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
    }
  })
})

test.group('Dashboard | older lines of a log', (group) => {
  let lab: DashboardLab

  class Chatty extends Job<unknown, void> {
    static options = { name: 'tests.chatty', queue: 'tests' }

    async execute() {
      for (let line = 1; line <= 150; line++) this.log.info('line number %d', line)
    }
  }

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Chatty] })
    await lab.work()
    return () => lab.close()
  })

  test('are reached by a link, without scripts too', async ({ assert }) => {
    const client = lab.client()
    const id = await lab.dispatch(Chatty)
    await lab.record(id, 'completed')
    const newest = await client.page(`/jobs/${id}`)
    assert.include(newest.text, 'line number 150')
    assert.notInclude(newest.text, 'line number 50<')
    const [, address] = /href="([^"]*\/logs\?cursor=[^"]*)"/.exec(newest.text)!
    const older = await client.page(address.replaceAll('&amp;', '&'))
    assert.equal(older.status, 200)
    assert.match(older.text, /<html/)
    assert.include(older.text, 'line number 50<')
    assert.notInclude(older.text, 'line number 150')
    const fragment = await client.partial(address.replaceAll('&amp;', '&'))
    assert.include(fragment.text, 'line number 50<')
    assert.equal((await client.page(`/jobs/${id}/logs?cursor=bananas`)).status, 422)
    const { json } = await client.json(`/jobs/${id}/logs?limit=10`)
    assert.lengthOf(json.data, 10)
    assert.equal(json.data[0].line, 'line number 1')
  })
})
