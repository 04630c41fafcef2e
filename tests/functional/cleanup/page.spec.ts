import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'

test.group('Cleanup page', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({
      access: {
        view: () => true,
        manage: (ctx) => ctx.request.header('x-who') !== 'guest',
        actor: () => ({ id: '7', name: 'Ada' }),
      },
    })
    return () => lab.close()
  })

  const ended = (id: number) =>
    waitFor('the run to end', async () => {
      const { json } = await lab.client().json('/cleanups')
      return json.data.find((run: any) => run.id === id && run.endedAt !== null) && json
    })

  test('runs in the background of a request, by form and as JSON, and is in the audit', async ({
    assert,
  }) => {
    const client = lab.client()
    await ended(1)
    const answer = await client.post('/cleanups', { dryRun: true })
    assert.equal(answer.status, 202)
    assert.containsSubset(answer.json, {
      outcome: 'requested',
      cleanup: { trigger: 'page', actor: 'Ada', dryRun: true },
    })
    await ended(answer.json.cleanup.id)
    const form = await client.submit('/cleanups')
    assert.equal(form.status, 303)
    const { data, last, running, next, kept, page } = await ended(answer.json.cleanup.id + 1)
    assert.containsSubset(data[0], { trigger: 'page', dryRun: false, actor: 'Ada', error: null })
    assert.equal(last.id, data[0].id)
    assert.isNull(running)
    assert.isNotNull(next)
    assert.equal(kept.audit, 365 * 86_400_000)
    assert.isNull(page.next)
    const { text } = await client.page('/cleanups')
    assert.include(text, 'by hand')
    assert.include(text, 'dry run')
    assert.include(text, 'Clean up now')
    assert.match(text, /Completed jobs in Redis<\/dt><dd><b>24 h<\/b>/)
    const audit = await waitFor('the audit', async () => {
      const found = (await client.json('/audit?action=cleanup')).json.data
      return found.length === 2 && found.every((one: any) => one.outcome === 'done') && found
    })
    assert.deepEqual(
      audit.map(({ actor, target, detail }: any) => [
        actor.name,
        actor.via,
        target.id,
        detail.dryRun,
      ]),
      [
        ['Ada', 'page', String(data[0].id), false],
        ['Ada', 'api', String(data[1].id), true],
      ]
    )
  })

  test('is not begun by whoever may only look, nor with values that mean nothing', async ({
    assert,
  }) => {
    const client = lab.client()
    assert.equal((await client.post('/cleanups', {}, { 'x-who': 'guest' })).status, 403)
    const { text } = await client.page('/cleanups', { 'x-who': 'guest' })
    assert.notInclude(text, 'Clean up now')
    assert.equal((await client.post('/cleanups', { dryRun: 'maybe' })).status, 422)
    assert.equal((await client.json('/cleanups?cursor=x')).status, 422)
  })

  test('one run at a time: a second is refused, with 409', async ({ assert }) => {
    const transport = await lab.app.container.make('queuedeck.transport')
    const lease = transport.lease('cleanup-run', 'another', { milliseconds: 30_000 })
    await waitFor('the lease', () => lease.acquire())
    const { status, json } = await lab.client().post('/cleanups')
    assert.equal(status, 409)
    assert.equal(json.errors[0].code, 'E_CLEANUP_RUNNING')
    await lease.release()
  })
})
