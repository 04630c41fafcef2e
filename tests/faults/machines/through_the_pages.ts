import type { Assert } from '@japa/assert'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Walk } from '../../functional/dashboard/jobs.ts'
import { DashboardLab } from '../../functional/dashboard/lab.ts'

/**
 * One of everything on some Redis, as a host has it: dispatch, run, cancel, restart, limits, pause, live changes, pages, cleanup.
 *
 * @param redis as it stands below `connections` in config/redis.ts
 */
export async function throughThePages(assert: Assert, redis: object, prefix?: string) {
  const lab = await DashboardLab.open({ classes: CLASSES, redis, prefix })
  try {
    await lab.work({ concurrency: 5 })
    const client = lab.client()
    const stream = await client.stream('/stream?page=jobs')
    await waitFor('hello', () => stream.named('hello').length)

    const echo = await lab.dispatch(Echo, { a: 1 }, { user: 'ann' })
    await lab.record(echo, 'completed')
    await waitFor('the change', () =>
      stream.named('changed').some(({ data }) => data.ids.includes(echo))
    )
    stream.close()

    const walk = await lab.dispatch(Walk, { steps: 1_000 }, { user: 'ann' })
    await lab.record(walk, 'running')
    const cancelled = await client.post(`/jobs/${walk}/cancel`)
    assert.equal(cancelled.json.outcome, 'requested', cancelled.text)
    await lab.record(walk, 'cancelled')
    const restarted = await client.post(`/jobs/${walk}/restart`)
    assert.equal(restarted.json.outcome, 'done', restarted.text)
    await lab.record(walk, 'running')

    /** Each of these is another script. */
    const waiting = await Promise.all(
      Array.from({ length: 4 }, () => lab.dispatch(Walk, { steps: 2, ms: 1 }, { user: 'ann' }))
    )
    for (const id of waiting) await lab.record(id, 'completed')
    await lab.dispatch(Echo, {}, { delay: '1h' })
    for (const path of ['', '/jobs', `/jobs/${walk}`, '/queues', '/workers']) {
      const { status, text } = await client.json(path)
      assert.equal(status, 200, `${path} ${text.slice(0, 300)}`)
    }
    const { json } = await client.json('')
    assert.deepInclude(json.statistics, { scheduled: 1, activeWorkers: 1, running: 1 })
    const token = (await client.token())!
    const paused = await client.ask('PUT', '/queues/tests/pause', {
      accept: 'application/json',
      body: {},
      headers: { 'x-csrf-token': token },
    })
    assert.equal(paused.status, 200, paused.text)

    const cleanup = await lab.app.container.make('queuedeck.cleanup')
    const run = await cleanup.run({ trigger: 'page', actor: 'test' })
    assert.isNull(run.error)
    assert.equal((await client.post(`/jobs/${walk}/cancel`)).json.outcome, 'requested')
    await lab.record(walk, 'cancelled')
  } finally {
    await lab.close()
  }
}
