import { test } from '@japa/runner'
import { batch } from '#queuedeck'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'
import { letGo, ran, Step } from './jobs.ts'

test.group('Flows | the page of a job', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Step], shield: false })
    ;(await lab.app.container.make('queuedeck.flows.service')).start()
    await lab.work({ queues: ['one'], concurrency: 4 })
    return () => lab.close()
  })

  const step = (name: string, rest: { fail?: boolean; hold?: boolean } = {}) =>
    Step.dispatch({ name, ...rest }).toQueue('one')
  const json = async (id: string) => {
    const answer = await lab.client().json(`/jobs/${id}`)
    return answer.status === 200 ? answer.json : null
  }

  test('names what it waits for and who waits for it, with how they are', async ({ assert }) => {
    const flow = await batch([step('held', { hold: true }), step('bad', { fail: true })])
      .then(step('end'))
      .then(step('after'))
    const [held, bad, end, after] = flow.jobs.map(({ jobId }) => jobId)
    const found = await waitFor('the flow to be recorded', async () => {
      const job = await json(end)
      const { counts } = job?.wholeFlow ?? {}
      return counts?.running === 1 && counts?.failed === 1 && counts.blocked === 2 && job
    })
    assert.deepEqual(found.waitsFor.counts, { running: 1, failed: 1 })
    assert.deepEqual(
      found.waitsFor.data.map(({ id, onFailure }: never) => [id, onFailure]),
      [held, bad].sort().map((id) => [id, 'cancel'])
    )
    assert.equal(found.waitedForBy.data[0].id, after)
    assert.equal(found.waiting.text, 'waits for 1 job')
    assert.isNull(found.flow)

    const { text } = await lab.client().page(`/jobs/${end}`)
    assert.include(text, '1 of 4 jobs have ended')
    assert.equal(text.match(/<path class="e cancel"/g)!.length, 3)
    /** Each other job is a link of the picture. */
    for (const id of [held, bad, after]) {
      assert.match(text, new RegExp(`<a href="/admin/queue/jobs/${id}" aria-label="flows.step, `))
    }
    assert.include(text, 'aria-label="flows.step, blocked, this job"')
    const stream = /data-stream="([^"]*)"/.exec(text)![1].replaceAll('&amp;', '&')
    assert.include(stream, `with=${held}`)
    const told = await lab.client().stream(stream.replace('/admin/queue', ''))
    await waitFor('the stream', async () => told.events.length > 0)
    letGo('held')
    /** The page hears of the others too. */
    await waitFor('word of the other', async () =>
      told.named('changed').some(({ data }) => data.ids.includes(held))
    )
    lab.closeStreams()
    assert.isTrue(ran.includes('held'))
  })

  test('of a flow of 1,500 shows what is near, and counts all that it waits for', async ({
    assert,
  }) => {
    const records = await lab.app.container.make('queuedeck.records')
    const flow = await batch([
      Step.dispatchMany(Array.from({ length: 1_500 }, (_, n) => ({ name: `n${n}` }))).toQueue(
        'nobody'
      ),
    ])
      .then(step('end'))
      .then(step('after'))
    const [end, after] = flow.jobs.slice(-2).map(({ jobId }) => jobId)
    await waitFor(
      'all to be recorded',
      async () => {
        const counts = await records.reader.edges.counts('awaited', end)
        const behind = await records.reader.edges.counts('waiting', end)
        return counts.pending === 1_500 && behind.blocked === 1
      },
      { within: 60_000 }
    )
    const { text } = await lab.client().page(`/jobs/${end}`)
    assert.include(text, '0 of 1,502 jobs have ended')
    assert.include(text, 'The picture shows the nearest 40 jobs; 1,462 more belong to the flow.')
    assert.include(text, 'waits for 1,500 jobs')
    assert.include(text, `<a href="/admin/queue/jobs/${after}" aria-label=`, 'on the other side')
  }).timeout(120_000)
})
