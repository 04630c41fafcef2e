import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { EnqueueLost } from '../../../src/operations/enqueue_lost.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import type { NewTransportJob } from '../../../src/transport/types.ts'
import type { Actor } from '../../../src/types.ts'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES, Echo, Fail } from '../dashboard/jobs.ts'
import { DashboardLab } from '../dashboard/lab.ts'

const ADA: Actor = { id: '7', name: 'Ada', via: 'command' }
const SECRETS = { password: 'p-111', list: [{ apiKey: 'k-222' }] }

test.group('Jobs that Redis lost', (group) => {
  let lab: DashboardLab
  let transport: Transport
  let operation: EnqueueLost

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: CLASSES, shield: false })
    transport = await lab.app.container.make('queuedeck.transport')
    const records = await lab.app.container.make('queuedeck.records')
    operation = new EnqueueLost({ reader: records.reader, transport, records })
    return () => lab.close()
  })

  /** Everything with this prefix is gone, as after FLUSHALL. */
  async function empty() {
    const { producer } = transport.connections
    const keys = await producer.keys(`${transport.keys.prefix}*`)
    if (keys.length > 0) await producer.del(...keys)
  }

  test('are shown, then enqueued again once, each with its payload and its moment; what had ended stays', async ({
    assert,
  }) => {
    const waiting = await lab.dispatch(Echo, SECRETS, { queue: 'idle', priority: 4, tags: ['x'] })
    const scheduled = await lab.dispatch(Echo, { n: 2 }, { queue: 'idle', delay: '2d' })
    const unique = await lab.dispatch(
      Echo,
      { n: 3 },
      { queue: 'constructor', unique: { key: 'k' } }
    )
    const cancelled = await lab.dispatch(Echo, {}, { queue: 'idle' })
    await lab.client().post(`/jobs/${cancelled}/cancel`)
    await lab.record(cancelled, 'cancelled')
    const { dueAt } = await lab.record(scheduled)
    assert.equal((await operation.look()).count, 0)

    await empty()
    const lost = await operation.look()
    assert.deepEqual([lost.count, { ...lost.queues }], [3, { idle: 2, constructor: 1 }])
    assert.deepEqual(
      lost.sample.map(({ id }) => id),
      [waiting, scheduled, unique]
    )
    /** The mirror comes to the same result by itself, sooner or later. */
    await waitFor(
      'the mirror to notice',
      async () => (await lab.record(waiting)).error?.code === 'LOST_IN_REDIS'
    )
    assert.equal((await operation.look()).count, 3)

    const answers = await Promise.all([operation.handle(ADA), operation.handle(ADA)])
    assert.equal(answers[0].enqueued + answers[1].enqueued, 3)
    assert.equal((await operation.look()).count, 0)
    const record = await lab.record(waiting, 'pending')
    assert.containsSubset(record, {
      id: waiting,
      run: 2,
      priority: 4,
      tags: ['x'],
      payload: JSON.stringify(SECRETS),
    })
    assert.equal(record.runs[0].error?.code, 'LOST_IN_REDIS')
    const later = await lab.record(scheduled, 'scheduled')
    assert.closeTo(later.dueAt!, dueAt!, 1_000)
    assert.equal((await transport.depths(['idle'])).idle.scheduled, 1)
    const queue = await lab.app.container.make('queuedeck')
    const again = await queue.dispatch('tests.echo', {}, { queue: 'constructor' }).unique('k')
    assert.equal(again.jobId, unique)
    assert.equal((await lab.record(cancelled)).run, 1)

    const pool = await lab.work({ queues: ['idle', 'constructor'] })
    assert.deepEqual(JSON.parse((await lab.record(waiting, 'completed')).result!), SECRETS)
    await lab.record(unique, 'completed')
    pool.abort()
    await pool.ended
  })

  test('also two that had a key one after the other, each for a time', async ({ assert }) => {
    const [first, second] = [100, 3_600_000].map((until): NewTransportJob => ({
      id: randomUUID(),
      queue: 'idle',
      name: 'tests.echo',
      data: '{}',
      opts: { timestamp: Date.now(), qd: { unique: { key: 'window', until } } },
    }))
    await transport.add([first])
    const { producer } = transport.connections
    const key = `${transport.keys.unique}:tests.echo\nwindow`
    await waitFor('its time to be over', async () => (await producer.exists(key)) === 0)
    await transport.add([second])
    for (const { id } of [first, second]) await lab.record(id)
    await empty()
    assert.deepEqual((await operation.handle(ADA)).refusals, [])
    const queue = await lab.app.container.make('queuedeck')
    const next = await queue.dispatch('tests.echo', {}, { queue: 'idle' }).unique('window')
    assert.equal(next.jobId, second.id)
    for (const { id } of [first, second]) await lab.client().post(`/jobs/${id}/cancel`)
  })

  test('and runs of a schedule go on by its policy for overlaps, however late they are', async ({
    assert,
  }) => {
    const { producer } = transport.connections
    const now = Date.now()
    const run = (schedule: string, due: number): NewTransportJob => ({
      id: randomUUID(),
      queue: 'idle',
      name: 'tests.echo',
      data: '{}',
      opts: {
        timestamp: now,
        qd: { schedule: { id: schedule, due, overlap: 'skip', missed: 'skip' } },
      },
    })
    const [busy, idle] = [randomUUID(), randomUUID()]
    const lost = [run(busy, now - 3_600_000), run(idle, now - 3_600_000)]
    await transport.add(lost)
    for (const { id } of lost) await lab.record(id)
    await empty()
    /** Nobody looked after schedules, so far as this Redis knows. */
    await transport.scheduled.alive(producer)
    const later = run(busy, now)
    await transport.add([later])
    const verdict = async ({ id }: NewTransportJob) => {
      const opts = await producer.hget(transport.keys.job('idle', id), 'opts')
      const { schedule } = JSON.parse(opts!).qd
      return (await transport.scheduled.start('idle', id, schedule, producer)).verdict
    }
    assert.equal(await verdict(later), 'run')
    await operation.handle(ADA)
    assert.deepEqual([await verdict(lost[0]), await verdict(lost[1])], ['overlap', 'run'])
    for (const { id } of [...lost, later]) {
      await transport.cancel('idle', id, { by: 'ada', reason: 'no' })
    }
  })

  test('and a failed one restarts from its record, as often as there is a record', async ({
    assert,
  }) => {
    const pool = await lab.work({ queues: ['tests'] })
    const id = await lab.dispatch(Fail, { message: 'again' })
    await lab.record(id, 'failed')
    for (const run of [2, 3]) {
      await empty()
      assert.equal((await lab.client().post(`/jobs/${id}/restart`)).json.outcome, 'done')
      await waitFor(`run ${run} to fail`, async () => {
        const job = await lab.record(id)
        return job.run === run && job.status === 'failed'
      })
    }
    assert.lengthOf((await lab.record(id)).runs, 2)
    /** The one that is due in two days was lost once more. */
    const { sample } = await operation.look()
    assert.notInclude(
      sample.map((job) => job.id),
      id
    )
    pool.abort()
    await pool.ended
  })
})
