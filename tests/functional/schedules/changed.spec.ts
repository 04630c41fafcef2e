import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job, type JobOptions } from '#queuedeck'
import { defineSchedule, type ScheduleInput } from '../../../src/jobs/schedule_definition.ts'
import type { QueueManager } from '../../../src/jobs/queue_manager.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import { ScheduleOperations } from '../../../src/operations/schedules.ts'
import type { Records } from '../../../src/records/records.ts'
import { runId } from '../../../src/records/schedules/run_id.ts'
import type { Schedule } from '../../../src/schedule_types.ts'
import { Planner } from '../../../src/schedules/planner.ts'
import { ScheduleService } from '../../../src/schedules/schedule_service.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'

class Note extends Job<{ name: string; ms?: number }, void> {
  static options: JobOptions = { name: 'tests.note', queue: 'tests' }
  async execute() {
    await pause(this.payload.ms ?? 0, undefined, { signal: this.signal })
  }
}

test.group('Schedules | runs of an earlier definition', (group) => {
  let lab: DashboardLab
  let queue: QueueManager
  let records: Records
  let transport: Transport
  let planner: Planner
  let service: ScheduleService

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Note], shield: false })
    queue = await lab.app.container.make('queuedeck')
    records = await lab.app.container.make('queuedeck.records')
    transport = await lab.app.container.make('queuedeck.transport')
    planner = new Planner({ transport, records, queue })
    const own = await lab.app.container.make('queuedeck.schedules.service')
    await own.stop()
    const logger = { debug: () => {}, warn: () => {}, info: () => {} }
    service = new ScheduleService({ transport, records, queue, logger, lease: 1_000, tick: 100 })
    return async () => {
      await service.stop()
      await lab.close()
    }
  })

  async function make(input: Omit<ScheduleInput, 'type'>): Promise<Schedule> {
    const definition = await defineSchedule(queue, { type: Note, ...input })
    const base = { id: uuidV7(), origin: 'page', createdAt: Date.now(), createdBy: 'test' } as const
    await records.schedules.insert({ ...definition, ...base })
    return (await records.schedules.named(definition.name))!
  }

  const again = async ({ id }: Schedule) => (await records.schedules.find(id))!

  test('that are moved to another queue leave no run in the one before', async ({ assert }) => {
    const input = (name: string) => ({
      ...{ name: 'moved', payload: { name: 'moved' }, every: '1h', options: { queue: name } },
    })
    const now = await transport.time()
    const first = await make(input('one'))
    await planner.plan([first], now)
    const definition = await defineSchedule(queue, { type: Note, ...input('two') })
    const change = [await again(first), { definition }, { at: now, name: 'test' }] as const
    assert.isTrue(await records.schedules.change(...change))
    await planner.plan([await again(first)], now)
    const { one, two } = await transport.depths(['one', 'two'])
    assert.deepEqual([one.scheduled, two.scheduled], [0, 1])
  })

  test('that are cancelled ahead do not come back when their record is deleted', async ({
    assert,
  }) => {
    const schedule = await make({ name: 'cancelled', every: '1h', payload: { name: 'cancelled' } })
    const now = await transport.time()
    await planner.plan([schedule], now)
    const planned = await again(schedule)
    const id = runId(planned.id, planned.generation, planned.plannedAt!)
    await lab.record(id, 'scheduled')
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const actor = { id: '7', name: 'Ada', via: 'api' } as const
    for (const operation of [dashboard.cancelJob, dashboard.deleteJob]) {
      assert.equal((await operation.handle(id, actor)).outcome, 'done')
      await planner.ensure([planned], now)
    }
    assert.equal(await transport.state('tests', id), 'missing')
    /** A change plans anew. */
    await records.schedules.change(planned, { paused: false }, { at: now, name: 'test' })
    const changed = await again(schedule)
    await planner.plan([changed], now)
    const next = runId(changed.id, changed.generation, planned.plannedAt!)
    assert.equal(await transport.state('tests', next), 'delayed')
  })

  for (const [what, status] of [
    ['ended', 'completed'],
    ['were cancelled', 'cancelled'],
  ] as const) {
    test(`that ${what} do not come back when their record is deleted at once`, async ({
      assert,
    }) => {
      const now = await transport.time()
      const due = Math.floor(now / 1_000) * 1_000
      const at = new Date(due)
      const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} * * * *`
      const schedule = await make({ name: what, cron, missed: 'once', payload: { name: what } })
      await planner.plan([schedule], due - 1)
      const planned = await again(schedule)
      assert.equal(planned.plannedAt, due)
      const id = runId(planned.id, planned.generation, due)
      const dashboard = await lab.app.container.make('queuedeck.dashboard')
      const actor = { id: '7', name: 'Ada', via: 'api' } as const
      if (status === 'completed') {
        const pool = await lab.work()
        await lab.record(id, status)
        pool.abort()
        await pool.ended
      } else {
        await lab.record(id, 'scheduled')
        assert.equal((await dashboard.cancelJob.handle(id, actor)).outcome, 'done')
        await lab.record(id, status)
      }
      /** A host whose clock is ahead. */
      const { now: clock } = Date
      Date.now = () => clock() + 7_200_000
      try {
        assert.equal((await dashboard.deleteJob.handle(id, actor)).outcome, 'done')
      } finally {
        Date.now = clock
      }
      await planner.ensurePassed(new Map([[planned.seq, planned]]), due + 5_000)
      assert.equal(await transport.state('tests', id), 'missing')
      /** Nobody looked after schedules until then. */
      await planner.plan([planned], due + 15_000)
      assert.equal(await transport.state('tests', id), 'missing')
    })
  }

  test('that wait for an earlier one end when their schedule is deleted', async ({ assert }) => {
    const schedule = await make({
      ...{ name: 'deleted', every: '1s', overlap: 'queue' },
      payload: { name: 'deleted', ms: 6_000 },
    })
    const pool = await lab.work()
    service.start()
    const waiting = await waitFor('a run that waits', async () => {
      const key = transport.keys.scheduleWaiting(schedule.id)
      const [first] = await transport.connections.producer.lrange(key, 0, 0)
      return first ? transport.keys.placeOf(first).id : false
    })
    await lab.record(waiting, 'scheduled')
    const operations = new ScheduleOperations({ transport, records, queue })
    await operations.delete(await again(schedule), { id: '7', name: 'Ada', via: 'api' })
    const { error } = await lab.record(waiting, 'cancelled')
    assert.equal(error?.message, 'Its schedule was deleted')
    pool.abort()
    await pool.ended
  }).timeout(120_000)

  test('do not begin beside one that still runs, when somebody has started another one meanwhile', async ({
    assert,
  }) => {
    const { worker, producer } = transport.connections
    const keys = transport.keys.queue('tests')
    for (const overlap of ['skip', 'queue']) {
      const schedule = await make({ name: overlap, every: '1h', overlap, payload: { name: 'x' } })
      const now = await transport.time()
      const job = (due: number, manual?: true) =>
        queue.scheduledJob(schedule, { jobId: uuidV7(), due, now, manual })
      const [long, asked, next] = [job(now - 3_000), job(now - 2_000, true), job(now - 1_000)]
      await transport.add([long, asked, next])
      const said = async ({ id, opts }: typeof long) => {
        const { schedule: mark } = opts.qd!
        return (await transport.scheduled.start('tests', id, mark!, worker)).verdict
      }
      const ends = async ({ id }: typeof long) => {
        await producer.lrem(`${keys}wait`, 0, id)
        await producer.zadd(`${keys}completed`, now, id)
      }
      assert.deepEqual([await said(long), await said(asked)], ['run', 'run'])
      await ends(asked)
      assert.equal(await said(next), overlap === 'skip' ? 'overlap' : 'wait')
      if (overlap === 'skip') continue
      await producer.lrem(`${keys}wait`, 0, next.id)
      await producer.zadd(`${keys}delayed`, (now + 600_000) * 4_096, next.id)
      await transport.scheduled.wake(worker)
      assert.equal(await transport.state('tests', next.id), 'delayed')
      await ends(long)
      await transport.scheduled.wake(worker)
      assert.equal(await transport.state('tests', next.id), 'waiting')
      assert.equal(await said(next), 'run')
    }
  })
})
