import { test } from '@japa/runner'
import { Redis } from 'ioredis'
import { redisServer, type PrivateServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Doctor } from '../../../src/operations/doctor/doctor.ts'
import { CLASSES, Echo } from './jobs.ts'
import { DashboardLab } from './lab.ts'

test.group('Dashboard | Redis is full', (group) => {
  let server: PrivateServer
  let redis: Redis
  let lab: DashboardLab

  group.setup(async () => {
    server = await redisServer({ own: true, settings: { 'maxmemory-policy': 'noeviction' } })
    redis = new Redis(server.url)
    lab = await DashboardLab.open({
      classes: CLASSES,
      redis: { host: '127.0.0.1', port: server.port },
    })
    return async () => {
      await redis.config('SET', 'maxmemory', 0)
      await lab.close()
      redis.disconnect()
      await server.stop()
    }
  })

  test('what frees memory works, what needs some is refused in words, and all goes on afterwards', async ({
    assert,
  }) => {
    const { container } = lab.app
    const client = lab.client()
    await lab.work({ queues: ['tests', 'waits'] })
    const deleted = await lab.dispatch(Echo)
    await lab.record(deleted, 'completed')
    await client.ask('PUT', '/queues/waits/pause', {
      accept: 'application/json',
      headers: { 'x-csrf-token': (await client.token())! },
    })
    const [cancelled, drained] = [
      await lab.dispatch(Echo, {}, { queue: 'waits' }),
      await lab.dispatch(Echo, {}, { queue: 'waits' }),
    ]
    const transport = await container.make('queuedeck.transport')
    const before = await redis.dbsize()
    await redis.config('SET', 'maxmemory', '1mb')

    const post = await client.post('/jobs', { type: 'tests.echo', payload: {} })
    assert.equal(post.status, 503)
    assert.match(post.json.errors[0].message, /it is full .* free memory or raise the limit/)
    assert.isAtMost(await redis.dbsize(), before + 1)

    const report = await new Doctor({
      transport,
      records: await container.make('queuedeck.records'),
      cleanup: await container.make('queuedeck.cleanup'),
      config: await container.make('queuedeck.config'),
      registry: (await container.make('queuedeck')).registry,
    }).examine()
    assert.isFalse(report.healthy)
    const memory = report.findings.find(({ check }) => check === 'redis-memory')
    assert.match(memory?.title ?? '', /is full: it refuses new jobs/)
    const skipped = report.checks.filter(({ outcome }) => outcome === 'skipped')
    assert.deepEqual(skipped, [])

    const gone = await client.ask('DELETE', `/jobs/${deleted}`, {
      accept: 'application/json',
      headers: { 'x-csrf-token': (await client.token())! },
    })
    assert.deepInclude(gone.json, { outcome: 'done', reason: null })
    assert.equal((await client.json(`/jobs/${deleted}`)).status, 404)
    assert.equal(await redis.exists(transport.keys.job('tests', deleted)), 0)

    assert.equal((await client.post(`/jobs/${cancelled}/cancel`)).json.outcome, 'done')
    await lab.record(cancelled, 'cancelled')
    assert.equal((await client.post('/queues/waits/drain')).json.cancelled, 1)
    await lab.record(drained, 'cancelled')

    assert.equal((await client.post('/cleanups')).status, 202)
    const run = await waitFor('the cleanup to end', async () => {
      const { json } = await client.json('/cleanups')
      return json.running === null && json.last
    })
    assert.isNull(run.error)

    const made = await client.post('/schedules', {
      ...{ name: 'monthly', type: 'tests.echo', payload: {}, every: '30d' },
    })
    assert.equal(made.status, 201, made.text)
    await waitFor('the audit to say that the schedule was made', async () => {
      const { json } = await client.json('/audit?action=create_schedule')
      return json.data[0]?.outcome === 'done'
    })

    const refused = await client.post(`/jobs/${cancelled}/restart`)
    assert.equal(refused.status, 503)
    assert.match(refused.json.errors[0].message, /it is full/)
    assert.deepInclude((await client.json(`/jobs/${cancelled}`)).json, {
      status: 'cancelled',
      run: 1,
    })
    for (const path of ['/', '/jobs', '/queues', '/workers', '/cleanups']) {
      assert.equal((await client.page(path)).status, 200, path)
    }

    await redis.config('SET', 'maxmemory', 0)
    await lab.record(await lab.dispatch(Echo), 'completed')
    assert.equal((await client.post(`/jobs/${cancelled}/restart`)).json.outcome, 'done')
    await waitFor('the run of the schedule', async () => {
      const { json } = await client.json('/jobs?status=scheduled')
      return json.data.some(({ type }: any) => type === 'tests.echo')
    })
    assert.equal((await client.post('/queues/waits/resume')).json.changed, true)
    assert.equal((await lab.record(cancelled, 'completed')).run, 2)
  })
})
