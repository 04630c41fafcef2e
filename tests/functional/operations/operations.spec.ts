import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { Worker } from 'bullmq'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { OperationDependencies } from '../../../src/operations/job_lookup.ts'
import { CancelJob } from '../../../src/operations/cancel_job.ts'
import { CreateJob } from '../../../src/operations/create_job.ts'
import { RestartJob } from '../../../src/operations/restart_job.ts'
import { RunAgain } from '../../../src/operations/run_again.ts'
import { runId } from '../../../src/records/schedules/run_id.ts'
import { Transport } from '../../../src/transport/transport.ts'
import type { Actor } from '../../../src/types.ts'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Fail, Walk } from '../dashboard/jobs.ts'
import { DashboardLab } from '../dashboard/lab.ts'

/** Workers of the test serve every queue, but nothing is due. */
const LATER = () => ({ timestamp: Date.now(), delay: 3_600_000 })

const ADA: Actor = { id: '7', name: 'Ada', via: 'api' }

test.group('Operations', (group) => {
  let lab: DashboardLab
  let dependencies: OperationDependencies

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES, shield: false })
    dependencies = (await lab.app.container.make('queuedeck.dashboard')).operations
    await lab.work({ queues: ['tests', 'idle'] })
    return () => lab.close()
  })

  const later = (payload: object = {}) =>
    lab.dispatch(Echo, payload, { queue: 'idle', delay: '1h' })

  async function forget(queue: string, id: string) {
    const { keys, connections } = dependencies.transport
    const { producer } = connections
    await producer.del(keys.job(queue, id))
    for (const set of ['failed', 'completed', 'delayed', 'prioritized']) {
      await producer.zrem(keys.queue(queue) + set, id)
    }
  }

  test('a job that was dispatched this instant is found', async ({ assert }) => {
    const queue = await lab.app.container.make('queuedeck')
    for (let count = 0; count < 5; count++) {
      const { jobId } = await queue.dispatch('tests.echo', {}, { queue: 'idle', delay: '1h' })
      const { outcome, job } = await new CancelJob(dependencies).handle(jobId, ADA)
      assert.equal(outcome, 'done')
      assert.equal(job.status, 'cancelled')
    }
  })

  test('records say who cancelled, and why', async ({ assert }) => {
    const id = await later()
    await new CancelJob(dependencies).handle(id.toUpperCase(), ADA, 'a mistake')
    const { events, error } = await lab.record(id, 'cancelled')
    const told = JSON.stringify(events)
    assert.include(told, 'Ada')
    assert.include(told, 'a mistake')
    assert.equal(error?.code, 'CANCELLED')
    const other = await later()
    await new CancelJob(dependencies).handle(other, ADA, '  ')
    assert.equal((await lab.record(other, 'cancelled')).error?.message, 'cancelled by Ada')
  })

  test('of many cancels at once, one is done', async ({ assert }) => {
    const id = await later()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => new CancelJob(dependencies).handle(id, ADA))
    )
    const outcomes = answers.map(({ outcome }) => outcome).sort()
    assert.deepEqual(outcomes, ['done', ...Array.from({ length: 7 }, () => 'too_late')])
  })

  test('of many restarts at once, one opens a run', async ({ assert }) => {
    const id = await lab.dispatch(Fail, { message: 'again' })
    await lab.record(id, 'failed')
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => new RestartJob(dependencies).handle(id, ADA))
    )
    assert.lengthOf(
      answers.filter(({ outcome }) => outcome === 'done'),
      1
    )
    const record = await waitFor('run 2 to end', async () => {
      const job = await lab.record(id)
      return job.run === 2 && job.status === 'failed' && job
    })
    assert.equal(record.run, 2)
    assert.include(JSON.stringify(record.events), 'Ada')
  })

  test('a job that Redis forgot runs again with the same payload, at once', async ({ assert }) => {
    const id = await lab.dispatch(Echo, { n: 1 }, { delay: '60d', attempts: 3, tags: ['kept'] })
    await new CancelJob(dependencies).handle(id, ADA)
    await lab.record(id, 'cancelled')
    await forget('tests', id)
    assert.equal(await dependencies.transport.state('tests', id), 'missing')

    const { outcome, job } = await new RestartJob(dependencies).handle(id, ADA)
    assert.equal(outcome, 'done')
    assert.equal(job.run, 2)
    const record = await lab.record(id, 'completed')
    assert.deepEqual([record.run, record.result, record.payload], [2, '{"n":1}', '{"n":1}'])
    assert.deepEqual(record.tags, ['kept'])
    assert.equal(record.attempts.max, 3)
  })

  test('digits of a payload survive a restart', async ({ assert }) => {
    const payload = '{"rowId":1970670598291982291}'
    const id = randomUUID()
    await dependencies.transport.add([
      { queue: 'idle', id, name: 'foreign', data: payload, opts: LATER() },
    ])
    await lab.record(id)
    await new CancelJob(dependencies).handle(id, ADA)
    await lab.record(id, 'cancelled')
    await forget('idle', id)
    await new RestartJob(dependencies).handle(id, ADA)
    assert.equal(
      (await dependencies.transport.connections.producer.hget(
        dependencies.transport.keys.job('idle', id),
        'data'
      ))!,
      payload
    )
  })

  test('a payload of which the record holds only the beginning does not run again', async ({
    assert,
  }) => {
    const id = randomUUID()
    const { transport } = dependencies
    await transport.add([
      { queue: 'idle', id, name: 'foreign', data: '{"long":"x…', opts: LATER() },
    ])
    await lab.record(id)
    await new CancelJob(dependencies).handle(id, ADA)
    await lab.record(id, 'cancelled')
    /** Redis has the whole. */
    assert.equal((await new RestartJob(dependencies).handle(id, ADA)).outcome, 'done')
    await lab.record(id, 'failed')
    await forget('idle', id)
    for (const operation of [
      new RestartJob(dependencies),
      new RunAgain({ ...dependencies, queue: await lab.app.container.make('queuedeck') }),
    ]) {
      const { outcome, reason } = await operation.handle(id, ADA)
      assert.equal(outcome, 'refused')
      assert.match(reason!, /only the beginning of the payload/)
    }
    assert.equal(await transport.state('idle', id), 'missing')
  })

  test('a deletion asks for the clock of Redis only where a schedule may have made the job', async ({
    assert,
    cleanup,
  }) => {
    const { transport } = dependencies
    const { deleteJob } = await lab.app.container.make('queuedeck.dashboard')
    let asked = 0
    transport.time = (client) => {
      /** Services ask on connections of their own, whenever they like. */
      if (client === undefined) asked++
      return Transport.prototype.time.call(transport, client)
    }
    cleanup(() => void Reflect.deleteProperty(transport, 'time'))
    const deleted = async (id: string) => {
      await transport.add([{ queue: 'idle', id, name: 'f', data: '{}', opts: LATER() }])
      await lab.record(id)
      await new CancelJob(dependencies).handle(id, ADA)
      await lab.record(id, 'cancelled')
      asked = 0
      assert.equal((await deleteJob.handle(id, ADA)).outcome, 'done')
      return asked
    }
    assert.equal(await deleted(uuidV7()), 0)
    assert.equal(await deleted(runId(randomUUID(), 1, Date.now())), 1)
  })

  test('foreign jobs are cancelled and restarted by their own id', async ({ assert }) => {
    const { transport } = dependencies
    await transport.add([{ queue: 'idle', id: 'order/1 ü', name: 'f', data: '{}', opts: LATER() }])
    const { reader } = await lab.app.container.make('queuedeck.records')
    const { JobQuery } = await import('../../../src/records/job_query.ts')
    const query = JobQuery.from({ type: 'f' })
    const [{ id }] = await waitFor('its record', async () => {
      const { rows } = await reader.page(query)
      return rows.length > 0 && rows
    })
    assert.notEqual(id, 'order/1 ü')
    assert.equal((await new CancelJob(dependencies).handle(id, ADA)).outcome, 'done')
    await lab.record(id, 'cancelled')
    assert.equal((await new RestartJob(dependencies).handle(id, ADA)).outcome, 'done')
    const record = await lab.record(id, 'failed')
    assert.deepEqual([record.run, record.error?.code], [2, 'UNKNOWN_TYPE'])
  })

  test('a job that a worker of plain BullMQ runs is not cancelled, and stays as it is', async ({
    assert,
  }) => {
    const { transport } = dependencies
    const id = randomUUID()
    await transport.add([
      { queue: 'foreign', id, name: 'foreign', data: '{}', opts: { timestamp: Date.now() } },
    ])
    let end!: () => void
    const ends = new Promise<void>((resolve) => (end = resolve))
    const worker = new Worker('foreign', () => ends, {
      connection: transport.connections.producer.duplicate({ maxRetriesPerRequest: null }) as never,
      prefix: transport.keys.queue('foreign').replace(/:foreign:$/, ''),
    })
    await lab.record(id, 'running')
    const refused = await new CancelJob(dependencies).handle(id, ADA)
    assert.equal(refused.outcome, 'refused')
    assert.include(refused.reason, 'plain BullMQ')
    assert.deepInclude(refused.job, { status: 'running', stopping: false })
    end()
    await lab.record(id, 'completed')
    await worker.close()
  })

  test('a job that is being stopped is not restarted', async ({ assert }) => {
    const id = await lab.dispatch(Walk)
    await lab.record(id, 'running')
    await new CancelJob(dependencies).handle(id, ADA)
    const { outcome } = await new RestartJob(dependencies).handle(id, ADA)
    assert.include(['refused', 'done', 'too_late'], outcome)
    if (outcome !== 'done') assert.equal((await lab.record(id, 'cancelled')).run, 1)
  })

  test('created jobs answer as they are recorded', async ({ assert }) => {
    const queue = await lab.app.container.make('queuedeck')
    const create = new CreateJob({ ...dependencies, queue })
    const { job } = await create.handle(
      {
        type: 'tests.echo',
        payload: { a: '😀' },
        options: { queue: 'a/b #1?ü😀', delay: '2d', user: 'ü/#?', tags: ['x', 'x', 'y z'] },
      },
      ADA
    )
    assert.containsSubset(job, {
      status: 'scheduled',
      queue: 'a/b #1?ü😀',
      user: 'ü/#?',
      tags: ['x', 'y z'],
    })
    const record = await lab.record(job.id)
    assert.equal(record.payload, '{"a":"😀"}')
    /** Created by Redis' clock, due by the dispatcher's. */
    assert.closeTo(record.dueAt! - record.createdAt, 172_800_000, 1_000)
  })

  test('a job that waits for nobody is not called blocked before it has a record', async ({
    assert,
  }) => {
    const queue = await lab.app.container.make('queuedeck')
    const reader = Object.assign(Object.create(dependencies.reader), { rowsById: async () => [] })
    const create = new CreateJob({ ...dependencies, reader, queue })
    const request = { type: 'tests.echo', options: { queue: 'tests', waitFor: [] } }
    assert.equal((await create.handle(request, ADA)).job.status, 'pending')
  })

  test('what may not be created is not enqueued', async ({ assert }) => {
    const queue = await lab.app.container.make('queuedeck')
    const create = new CreateJob({ ...dependencies, queue })
    const refuse = async ({ queue: name, user }: { queue: string; user: string | null }) => {
      throw new Error(`not to ${name} for ${user}`)
    }
    const options = { queue: 'forbidden', user: 9 }
    await assert.rejects(
      () => create.handle({ type: 'tests.echo', options }, ADA, refuse),
      'not to forbidden for 9'
    )
    assert.notInclude(await dependencies.transport.queueNames(), 'forbidden')
    const large = { type: 'tests.echo', payload: 'x'.repeat(1_100_000) }
    const error = await create.handle(large, ADA).catch((reason) => reason)
    assert.equal(error.code, 'E_PAYLOAD_TOO_LARGE')
  })
})
