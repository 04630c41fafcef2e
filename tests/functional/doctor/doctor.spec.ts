import { test } from '@japa/runner'
import Database from 'better-sqlite3'
import { Queue, Worker } from 'bullmq'
import { Cleanup } from '../../../src/cleanup/cleanup.ts'
import { CancelJob } from '../../../src/operations/cancel_job.ts'
import { RestartJob } from '../../../src/operations/restart_job.ts'
import { Transport } from '../../../src/transport/transport.ts'
import { readMirrorStatus } from '../../../src/mirror/mirror_status.ts'
import { waitFor } from '#tests/helpers/wait'
import { DoctorLab } from './lab.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

test.group('Doctor | queues, limits and workers', (group) => {
  let lab: DoctorLab

  group.setup(async () => {
    lab = await DoctorLab.open({
      queuedeck: {
        queues: ['watched'],
        limits: { global: 4, user: 1, types: { 'tests.walk': 3 } },
      },
    })
    await lab.mirror()
    return () => lab.close()
  })

  group.each.teardown(async () => {
    await lab.stopWorkers()
    await lab.redis.flushall()
  })

  const plainQueue = (name: string) =>
    new Queue(name, {
      connection: { port: lab.server.port },
      prefix: lab.dependencies.config.prefix,
    })

  test('finds nothing where all is well', async ({ assert }) => {
    await lab.redis.config('SET', 'appendonly', 'yes')
    await lab.work({ queues: ['watched', 'tests'] })
    const id = await lab.dispatch('tests.echo', { a: 1 })
    await waitFor('its end', async () => {
      const [job] = await lab.dependencies.records.reader.rowsById([id])
      return job?.status === 'completed'
    })
    await waitFor('nothing to be found', async () => {
      const { healthy, findings } = await lab.examine()
      if (findings.length > 0) throw new Error(JSON.stringify(findings))
      return healthy
    })
    await lab.redis.config('SET', 'appendonly', 'no')
    assert.isAbove((await lab.examine()).checks.length, 15)
  })

  test('a queue that nobody serves, since when, and what serves it', async ({ assert }) => {
    const name = "it's; rm -rf $HOME"
    await lab.dispatch('tests.echo', {}, { queue: name })
    const found = () => lab.found('queues-unserved')
    const [finding] = await found()
    assert.equal(finding.severity, 'problem')
    assert.equal(finding.title, `No worker serves the queue "${name}"`)
    assert.match(
      finding.detail,
      /^1 job pending, waiting since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/
    )
    assert.equal(finding.remedy, `node ace queue:work --queues='it'\\''s; rm -rf $HOME'`)

    await lab.dispatch('tests.echo', {}, { queue: 'urgent', priority: 1 })
    const urgent = (await found()).find(({ measured }) => measured.queue === 'urgent')!
    assert.match(urgent.detail, /waiting since \d{4}/)

    await lab.dispatch('tests.echo', {}, { queue: 'later', delay: '1h' })
    const later = (await found()).find(({ measured }) => measured.queue === 'later')!
    assert.equal(later.severity, 'warning')

    const idle = await lab.work({ queues: ['later'] })
    assert.lengthOf(await found(), 2)
    await lab.dependencies.transport.workers.ask(idle.id, 'quiet')
    const silent = await waitFor('the worker to be quiet', async () =>
      (await found()).find(({ measured }) => measured.queue === 'later')
    )
    assert.equal(silent.title, 'No worker takes jobs of the queue "later"')
    assert.include(silent.remedy, idle.id)
  })

  test('a worker of plain BullMQ serves a queue too', async ({ assert }) => {
    const queue = plainQueue('plain')
    await lab.dependencies.transport.registerQueues(['plain'])
    await queue.add('foreign', {}, { delay: 3_600_000 })
    assert.lengthOf(await lab.found('queues-unserved'), 1)
    const worker = new Worker('plain', async () => {}, {
      connection: { port: lab.server.port },
      prefix: lab.dependencies.config.prefix,
    })
    await waitFor('it to be seen', async () => (await lab.found('queues-unserved')).length === 0)
    await worker.close()
    assert.lengthOf(await lab.found('queues-unserved'), 1)
    await queue.close()
  })

  test('a paused queue in which jobs wait', async ({ assert }) => {
    await lab.work({ queues: ['tests'] })
    await lab.dependencies.transport.queueControl.pause('tests')
    assert.lengthOf(await lab.found('queues-paused'), 0)
    await lab.dispatch('tests.echo')
    const [finding] = await lab.found('queues-paused')
    assert.equal(finding.remedy, 'node ace queue:resume tests')
    assert.match(finding.detail, /^1 job pending/)
    await lab.dependencies.transport.queueControl.resume('tests')
    await waitFor('it to be gone', async () => (await lab.found('queues-paused')).length === 0)
  })

  test('limits that hold jobs back, and who holds them', async ({ assert }) => {
    const { transport } = lab.dependencies
    await lab.work({ queues: ['tests'] })
    assert.lengthOf(await lab.found('limits-exhausted'), 0)
    for (let n = 0; n < 2; n++) await lab.dispatch('tests.walk', {}, { user: 'ada' })
    const kinds = async () =>
      (await lab.found('limits-exhausted')).map(({ measured }) => measured.kind)
    await waitFor('the limit of a user', async () => (await kinds()).join() === 'user')
    const [user] = await lab.found('limits-exhausted')
    assert.deepInclude(user.measured, { name: 'ada', limit: 1, running: 1, heldBack: 1 })
    assert.equal(user.remedy, 'node ace queue:limits --user-of=ada:2')

    for (let n = 0; n < 3; n++) await lab.dispatch('tests.walk')
    await waitFor('the limit of the type', async () => (await kinds()).includes('type'))
    await transport.limits.set({ kind: 'type', type: 'tests.walk' }, null, 'test')
    await lab.dispatch('tests.walk')
    await lab.dispatch('tests.walk')
    await waitFor('the limit over all', async () => (await kinds()).includes('global'))
    const global = (await lab.found('limits-exhausted')).find(
      ({ measured }) => measured.kind === 'global'
    )!
    assert.match(global.detail, /pending; running: user ada 1, others 3$/)
    await transport.limits.set({ kind: 'queue', queue: 'tests' }, 2, 'test')
    await waitFor('the limit of the queue', async () => (await kinds()).includes('queue'))
    assert.isTrue(
      (await lab.found('limits-exhausted')).every(({ severity }) => severity === 'info')
    )
  })

  test('workers of several releases, silent ones, and clocks apart', async ({ assert }) => {
    await lab.work({ queues: ['tests'] }, '1.0.0')
    assert.lengthOf(await lab.found('workers'), 0)
    assert.lengthOf(await lab.found('clocks'), 0)
    await lab.work({ queues: ['tests'] }, '1.1.0')
    const [mixed] = await lab.found('workers')
    assert.equal(mixed.detail, '1.0.0: 1, 1.1.0: 1')

    const { transport } = lab.dependencies
    const id = 'far:1:00000000'
    const report = {
      id,
      host: 'far',
      pid: 1,
      queues: ['tests'],
      version: '1.1.0',
      clock: Date.now() - 3_600_000,
    }
    await transport.workers.report(id, report)
    const [apart] = await lab.found('clocks')
    assert.equal(apart.title, "The clock of far is 1.0 h behind Redis'")
    assert.equal(apart.severity, 'info')
    await lab.redis.zincrby(transport.keys.workers, -40_000, id)
    const [silent] = await lab.found('workers')
    assert.equal(silent.severity, 'warning')
    assert.match(silent.title, /far:1:00000000 has not reported for 40/)
    assert.match(silent.remedy, /process 1 of far/)
  })

  test('configured queues that nobody serves, and types that nobody knows', async ({ assert }) => {
    const [watched] = (await lab.found('queues-configured')).filter(
      ({ measured }) => measured.queue === 'watched'
    )
    assert.equal(watched.severity, 'info')
    assert.include(watched.detail, '"queues" of config/queuedeck.ts')
    await lab.work({ queues: ['watched'] })
    await waitFor('it to be served', async () => {
      const found = await lab.found('queues-configured')
      return found.every(({ measured }) => measured.queue !== 'watched')
    })
    const queue = plainQueue('watched')
    await queue.add('nobody.knows', {})
    await queue.close()
    const [unknown] = await waitFor('its failure', async () => {
      const found = await lab.found('job-types')
      return found.length > 0 && found
    })
    assert.equal(
      unknown.title,
      'Jobs of the type "nobody.knows" fail: no worker knows a class of it'
    )
    assert.deepInclude(unknown.measured, { queue: 'watched', jobs: 1 })
  })

  test('streams beyond their cap, and what dead processes left', async ({ assert }) => {
    const { transport } = lab.dependencies
    await transport.registerQueues(['tests'])
    const short = new Transport(transport.connections, {
      prefix: transport.keys.prefix,
      streamCap: 10,
    })
    assert.lengthOf(await lab.found('streams', { transport: short }), 0)
    for (let n = 0; n < 15; n++)
      await lab.redis.xadd(transport.keys.events('tests'), '*', 'event', 'x')
    const [long] = await lab.found('streams', { transport: short })
    assert.deepInclude(long.measured, { queue: 'tests', length: 15, cap: 10 })

    await lab.redis.lpush(`${transport.keys.queue('tests')}active`, 'ghost')
    const [orphan] = await lab.found('orphans')
    assert.deepInclude(orphan.measured, { queue: 'tests', orphaned: 1 })
    await transport.audit.sweepOrphans('tests', 1_000, false, lab.redis as never)
    assert.lengthOf(await lab.found('orphans'), 0)
  })
})

test.group('Doctor | jobs that stand nowhere', (group) => {
  let lab: DoctorLab

  group.each.setup(async () => {
    lab = await DoctorLab.open()
    return () => lab.close()
  })

  test('are told with what mends them', async ({ assert }) => {
    await lab.mirror()
    const { transport, records } = lab.dependencies
    const types = ['tests.echo', 'tests.echo', 'tests.echo'] as const
    const ids = await Promise.all(types.map((type) => lab.dispatch(type)))
    const later = await lab.dispatch('tests.echo', {}, { priority: 3 })
    await waitFor('the records', async () => (await records.reader.counts()).pending === 4)
    assert.lengthOf(await lab.found('strays'), 0)
    const { queue } = (await records.reader.find(ids[0]))!
    await lab.redis.lrem(`${transport.keys.queue(queue)}wait`, 0, ids[0])
    const [stray] = await lab.found('strays')
    assert.deepEqual(stray.measured, { queue, ids: [ids[0]] })
    assert.include(stray.remedy, `queue:cancel ${ids[0]}`)
    assert.include(stray.remedy, `queue:restart ${ids[0]}`)

    const dependencies = { transport, reader: records.reader }
    const actor = { id: '1', via: 'command' } as const
    assert.equal((await new CancelJob(dependencies).handle(ids[0], actor)).outcome, 'done')
    assert.equal((await new RestartJob(dependencies).handle(ids[0], actor)).outcome, 'done')
    assert.lengthOf(await lab.found('strays'), 0)
    assert.equal(await transport.state(queue, ids[0]), 'waiting')
    assert.equal((await records.reader.find(later))!.status, 'pending')
  })
})

test.group('Doctor | mirror and cleanup', (group) => {
  let lab: DoctorLab

  group.each.setup(async () => {
    lab = await DoctorLab.open()
    return () => lab.close()
  })

  test('a mirror that writes into the database of another application', async ({ assert }) => {
    const other = await DoctorLab.open({
      server: lab.server,
      queuedeck: { prefix: lab.dependencies.config.prefix, mirror: false },
    })
    try {
      const { identity } = lab.dependencies.records
      await identity.make()
      await other.mirror()
      await waitFor('its database to be told', async () => {
        return (await readMirrorStatus(lab.dependencies.transport))?.database
      })
      const [finding] = await lab.found('mirror')
      assert.match(finding.title, /in a database of its own/)
      assert.match(finding.remedy, /"prefix" of its own/)
      assert.lengthOf(await other.found('mirror'), 0)
    } finally {
      await other.app.terminate()
      other.redis.disconnect()
    }
  })

  test('no mirror, and one that cannot write', async ({ assert }) => {
    const [none] = await lab.found('mirror')
    assert.equal(none.title, 'No mirror runs: records stand still')
    assert.equal(none.remedy, 'node ace queue:mirror')

    const { transport } = lab.dependencies
    await transport.registerQueues(['late'])
    const events = transport.keys.events('late')
    const now = Date.now()
    await lab.redis.xadd(events, `${now - 300_000}-0`, 'event', 'drained')
    await lab.mirror()
    await waitFor('the queue to be mirrored', async () => {
      const status = await readMirrorStatus(transport)
      return status?.queues.late?.position === `${now - 300_000}-0`
    })
    const { filename } = lab.database.connection.connection as { filename: string }
    const other = new Database(filename)
    other.exec('begin immediate')
    await lab.redis.xadd(events, `${now - 120_000}-0`, 'event', 'added', 'jobId', 'x', 'name', 'y')
    const behind = await waitFor('it to be behind', async () =>
      (await lab.found('mirror')).find(({ title }) => /behind/.test(title))
    )
    assert.match(behind.title, /^Records are 2 min behind$/)
    assert.equal(behind.severity, 'problem')
    other.exec('rollback')
    other.close()
    await waitFor('it to have caught up', async () => (await lab.found('mirror')).length === 0)
  })

  test('cleanups that have not run, or could not do all', async ({ assert }) => {
    assert.lengthOf(await lab.found('cleanup'), 0)
    const { transport, records, config } = lab.dependencies
    const day = 86_400_000
    const cleanup = new Cleanup({
      transport,
      records,
      config,
      logger: quiet,
      now: () => Date.now() - day,
      patience: 50,
    })
    await cleanup.run({ trigger: 'command', actor: 'test' })
    const [overdue] = await lab.found('cleanup')
    assert.equal(overdue.title, 'No cleanup has run for 24.0 h')
    assert.include(overdue.remedy, 'node ace queue:cleanup')
  })
})
