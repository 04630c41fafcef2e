import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job, type JobOptions } from '#queuedeck'
import { defineSchedule, type ScheduleInput } from '../../../src/jobs/schedule_definition.ts'
import type { QueueManager } from '../../../src/jobs/queue_manager.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { Records } from '../../../src/records/records.ts'
import { runId } from '../../../src/records/schedules/run_id.ts'
import type { Schedule } from '../../../src/schedule_types.ts'
import { assertSchedules } from '../../../src/schedules/code_schedules.ts'
import { Planner } from '../../../src/schedules/planner.ts'
import { ScheduleService } from '../../../src/schedules/schedule_service.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'

const log: { name: string; at: number; end: number }[] = []

class Note extends Job<{ name: string; ms?: number }, void> {
  static options: JobOptions = { name: 'tests.note', queue: 'tests' }
  async execute() {
    const entry = { name: this.payload.name, at: Date.now(), end: Number.POSITIVE_INFINITY }
    log.push(entry)
    await pause(this.payload.ms ?? 0)
    entry.end = Date.now()
  }
}

const quiet = { debug: () => {}, warn: () => {}, info: () => {} }

test.group('Schedules', (group) => {
  let lab: DashboardLab
  let queue: QueueManager
  let records: Records
  let transport: Transport
  let planner: Planner
  const services: ScheduleService[] = []

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Note], shield: false })
    queue = await lab.app.container.make('queuedeck')
    records = await lab.app.container.make('queuedeck.records')
    transport = await lab.app.container.make('queuedeck.transport')
    planner = new Planner({ transport, records, queue })
    /** The application's own would lead between those of the tests, and sign for what they define. */
    const own = await lab.app.container.make('queuedeck.schedules.service')
    await own.stop()
    return () => lab.close()
  })
  group.each.teardown(async () => {
    await Promise.all(services.splice(0).map((service) => service.stop()))
    queue.schedules.clear()
    for (const { seq } of await records.schedules.list({ after: '', limit: 100 })) {
      await records.schedules.erase(seq)
    }
    await empty()
  })

  /** Everything with this prefix is gone, as after FLUSHALL. */
  async function empty() {
    const { producer } = transport.connections
    const keys = await producer.keys(`${transport.keys.prefix}*`)
    if (keys.length > 0) await producer.del(...keys)
  }

  function start(options: { forgotten?: number } = {}) {
    const dependencies = { transport, records, queue, logger: quiet }
    const service = new ScheduleService({ ...dependencies, lease: 1_000, tick: 100, ...options })
    services.push(service)
    service.start()
    return service
  }

  async function make(input: Omit<ScheduleInput, 'type'>): Promise<Schedule> {
    const definition = await defineSchedule(queue, { type: Note, ...input })
    const base = { id: uuidV7(), origin: 'page', createdAt: Date.now(), createdBy: 'test' } as const
    await records.schedules.insert({ ...definition, ...base })
    return (await records.schedules.named(definition.name))!
  }

  const runsOf = (name: string) => log.filter((entry) => entry.name === name)
  const again = async ({ id }: Schedule) => (await records.schedules.find(id))!
  const nextJob = ({ id, generation, plannedAt }: Schedule) => runId(id, generation, plannedAt!)

  test('of the code are made once by four processes, run on time, and keep one next run each', async ({
    assert,
  }) => {
    queue.schedule('seconds').every('2s').job(Note, { name: 'seconds' })
    queue.schedule('hourly').cron('@hourly').job(Note, { name: 'hourly' })
    queue.schedule('berlin').cron('0 3 * * *').zone('Europe/Berlin').job(Note, { name: 'berlin' })
    const startedAt = Date.now()
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let n = 0; n < 10; n++) await assertSchedules({ records, queue }, Date.now())
      })
    )
    const all = await records.schedules.list({ after: '', limit: 100 })
    assert.deepEqual(
      all.map(({ name, generation }) => [name, generation]),
      [
        ['berlin', 1],
        ['hourly', 1],
        ['seconds', 1],
      ]
    )
    const pool = await lab.work()
    start()
    start()
    await waitFor('two runs', () => runsOf('seconds').length >= 2)
    /** However busy the machine is: no more runs than moments. */
    runsOf('seconds').forEach(({ at }, n) =>
      assert.isAtLeast(Math.floor(at / 2_000) - Math.floor(startedAt / 2_000), n + 1)
    )
    const queueKey = transport.keys.queue('tests')
    const delayed = await transport.connections.producer.zrange(`${queueKey}delayed`, 0, -1)
    for (const name of ['hourly', 'berlin']) {
      const schedule = (await records.schedules.named(name))!
      assert.isAbove(schedule.plannedAt!, Date.now())
      assert.include(delayed, nextJob(schedule))
      assert.lengthOf(await records.schedules.runs(schedule.seq, { limit: 10 }), 1)
    }
    const [run] = await records.schedules.runs(all[2].seq, { to: Date.now() - 1_000, limit: 1 })
    const record = await lab.record(run.jobId!, 'completed')
    assert.equal(record.dueAt ?? run.due, run.due)
    pool.abort()
    await pool.ended
  }).timeout(120_000)

  test('go on beside one that this process cannot read, which says so', async ({ assert }) => {
    const broken = await make({
      name: 'broken',
      cron: '0 3 * * *',
      zone: 'Europe/Berlin',
      payload: { name: 'broken' },
    })
    const fine = await make({ name: 'fine', cron: '0 3 * * *', payload: { name: 'fine' } })
    const database = await lab.app.container.make('lucid.db')
    const inZone = (zone: string) =>
      database.rawQuery('update queuedeck_schedules set zone = ? where name = ?', [zone, 'broken'])
    await inZone('Mars/Olympus')
    await planner.planDue(Date.now())
    assert.isAbove((await again(fine)).plannedAt!, Date.now())
    assert.equal((await again(broken)).plannedAt, 0)
    assert.equal((await lab.client().page('/schedules')).status, 200)
    const page = await lab.client().page(`/schedules/${broken.id}`)
    assert.include(page.text, 'It cannot be read here and makes no runs: The time zone')

    await inZone('Europe/Berlin')
    await planner.planDue(Date.now() + 61_000)
    assert.isAbove((await again(broken)).plannedAt!, Date.now())
  })

  test('go on beside one whose queue has a key of another type in Redis', async ({ assert }) => {
    const { producer } = transport.connections
    const key = `${transport.keys.queue('odd')}id`
    await producer.set(key, 'of another program')
    const every = { cron: '0 3 * * *', payload: { name: 'beside' } }
    const odd = await make({ ...every, name: 'odd', options: { queue: 'odd' } })
    const fine = await make({ ...every, name: 'fine' })
    const now = Date.now()
    await planner.planDue(now)
    const { plannedAt } = await again(fine)
    assert.isAbove(plannedAt!, now)
    assert.equal(await transport.state('tests', runId(fine.id, 1, plannedAt!)), 'delayed')
    assert.lengthOf(await records.schedules.runs(fine.seq, { limit: 10 }), 1)
    assert.equal((await again(odd)).plannedAt, 0)

    await producer.del(key)
    await planner.planDue(now + 61_000)
    assert.isAbove((await again(odd)).plannedAt!, now)
  })

  test('leave a run out while an earlier one has not ended, or let it wait behind', async ({
    assert,
  }) => {
    const skip = await make({ name: 'skip', every: '1s', payload: { name: 'skip', ms: 2_500 } })
    await make({
      ...{ name: 'queue', every: '1s', overlap: 'queue' },
      payload: { name: 'queue', ms: 1_300 },
    })
    const pool = await lab.work()
    start()
    await waitFor('runs', () => runsOf('skip').length >= 2 && runsOf('queue').length >= 4)
    for (const name of ['skip', 'queue']) {
      runsOf(name).forEach(({ at }, index, all) => {
        if (index > 0) assert.isAtLeast(at, all[index - 1].end, name)
      })
    }
    const runs = await records.schedules.runs(skip.seq, { limit: 100 })
    const left = await waitFor('a run that was left out', async () => {
      const rows = await records.reader.rowsById(runs.map(({ jobId }) => jobId!))
      return rows.find(({ error }) => error?.code === 'SCHEDULE_OVERLAP')
    })
    assert.equal(left.status, 'cancelled')
    assert.match(left.error!.message, /^Left out by its schedule: an earlier run had not ended/)
    pool.abort()
    await pool.ended
  }).timeout(120_000)

  test('whose time passed while nothing ran are skipped, or made up for once', async ({
    assert,
  }) => {
    const now = Date.now()
    /** None of their moments may be as near as what still counts as on time. */
    const every = now % 3_600_000 > 30_000 ? 3_600_000 : 2_820_000
    const schedules = [
      await make({ name: 'skipped', every, payload: { name: 'skipped' } }),
      await make({ name: 'once', every, missed: 'once', payload: { name: 'once' } }),
    ]
    /** All went down twelve intervals ago, with a run ahead. */
    await planner.plan(schedules, now - 12 * every)
    await planner.planDue(now)
    const pool = await lab.work()
    await waitFor('the run', () => runsOf('once').length > 0)
    const [skipped, once] = await Promise.all(schedules.map(again))
    for (const schedule of [skipped, once]) {
      assert.isAbove(schedule.plannedAt!, now)
      const runs = await records.schedules.runs(schedule.seq, { to: now, limit: 100 })
      const missed = runs.filter(({ kind }) => kind === 'missed').length
      assert.isAtLeast(missed, 9)
      const [{ jobId }] = runs.filter(({ kind }) => kind === 'planned')
      if (schedule === once) await lab.record(jobId!, 'completed')
      else assert.equal((await lab.record(jobId!, 'cancelled')).error?.code, 'SCHEDULE_MISSED')
    }
    assert.deepEqual([runsOf('skipped').length, runsOf('once').length], [0, 1])
    pool.abort()
    await pool.ended
  }).timeout(120_000)

  test('survive a Redis that was emptied, and a leader that was killed', async ({ assert }) => {
    const daily = await make({ name: 'daily', cron: '0 3 * * *', payload: { name: 'daily' } })
    const service = start()
    const planned = await waitFor('a plan', async () => {
      const schedule = await again(daily)
      return schedule.plannedAt !== 0 && schedule
    })
    const jobId = nextJob(planned)
    await lab.record(jobId, 'scheduled')
    await empty()
    await waitFor('the run', async () => (await transport.state('tests', jobId)) === 'delayed')
    await waitFor('its record', async () => (await lab.record(jobId)).status === 'scheduled')
    assert.equal((await lab.record(jobId)).dueAt, planned.plannedAt)
    /** Somebody removes the job by hand. */
    await service.stop()
    start()
    await transport.connections.producer.del(transport.keys.job('tests', jobId))
    await waitFor('the run', async () => (await transport.state('tests', jobId)) === 'delayed')
  }).timeout(120_000)

  test('that wait for an earlier one are made again after Redis was emptied, however late', async ({
    assert,
  }) => {
    const { keys, connections } = transport
    const { producer } = connections
    const behind = await make({
      ...{ name: 'behind', every: '1h', overlap: 'queue' },
      payload: { name: 'behind' },
    })
    const now = Date.now()
    /** A run that has not ended; and somebody has looked after schedules all the time. */
    const { jobId: earlier } = await queue.dispatch(Note, { name: 'earlier' }).in('1d')
    await producer.hset(keys.schedule(behind.id), 'current', keys.job('tests', earlier))
    await producer.set(keys.schedulesAlive, String(now))
    await planner.plan([behind], now - 7_200_000)
    const [{ jobId }] = await records.schedules.runs(behind.seq, { to: now, limit: 1 })
    const pool = await lab.work()
    await waitFor('it to be put back', async () => {
      const { status, attempts } = await lab.record(jobId!)
      return status === 'scheduled' && attempts.started === 1
    })
    pool.abort()
    await pool.ended
    const schedule = await again(behind)
    assert.equal(await planner.ensureWaiting([schedule], now), 0)
    await empty()
    assert.equal(await planner.ensureWaiting([{ ...schedule, overlap: 'skip' }], now), 0)
    assert.equal(await planner.ensureWaiting([schedule], now), 1)
    assert.equal(await planner.ensureWaiting([schedule], now), 0)
    /** So far as this Redis knows, nobody looked after schedules at its moment. */
    await transport.scheduled.alive(producer)
    const next = await lab.work()
    assert.equal((await lab.record(jobId!, 'completed')).run, 2)
    assert.lengthOf(runsOf('behind'), 1)
    next.abort()
    await next.ended
  }).timeout(120_000)

  test('do not overlap with a run that is made again after Redis was emptied', async ({
    assert,
  }) => {
    const hourly = await make({ name: 'hourly', every: '1h', payload: { name: 'hourly' } })
    const now = Date.now()
    const job = (due: number, run?: number) =>
      queue.scheduledJob(hourly, { jobId: runId(hourly.id, 1, due), due, now, run })
    const lost = job(now - 2_000, 2)
    const later = job(now - 1_000)
    await transport.add([later])
    await transport.restart('tests', lost.id, {
      ...{ by: 'schedule', job: lost, run: 2, due: now - 2_000 },
      recordedRun: async () => 1,
    })
    const { worker, producer } = transport.connections
    const said = async (asked: typeof lost) => {
      const { schedule } = asked.opts.qd!
      return (await transport.scheduled.start('tests', asked.id, schedule!, worker)).verdict
    }
    assert.equal(await said(later), 'run')
    assert.equal(await said(lost), 'overlap')
    assert.deepEqual([await said(later), await said(lost)], ['run', 'overlap'], 'said again')
    /** Whoever restarts a run that was left out wants it to run. */
    await producer.hset(transport.keys.job('tests', lost.id), 'run', 3)
    assert.equal(await said(lost), 'run')
  })

  test('that are changed, paused, deleted and made again take back what was planned', async ({
    assert,
  }) => {
    const first = await make({ name: 'changing', every: '1h', payload: { name: 'changing' } })
    start()
    const planned = () =>
      waitFor('a plan', async () => {
        const schedule = await again(first)
        return schedule.plannedAt !== 0 && schedule
      })
    const before = await planned()
    await lab.record(nextJob(before), 'scheduled')
    const definition = await defineSchedule(queue, {
      ...{ name: 'changing', type: Note, every: '10s', payload: { name: 'changing' } },
    })
    const by = { at: Date.now(), name: 'test' }
    assert.isTrue(await records.schedules.change(before, { definition }, by))
    assert.isFalse(await records.schedules.change(before, { definition }, by), 'changed meanwhile')
    const after = await planned()
    assert.isAtMost(after.plannedAt! - Date.now(), 10_000)
    assert.equal(
      (await lab.record(nextJob(before), 'cancelled')).error?.message,
      'Its schedule was changed'
    )
    await records.schedules.change(after, { paused: true }, by)
    await waitFor('no next run', async () => (await again(first)).plannedAt === null)
    await lab.record(nextJob(after), 'cancelled')
    await records.schedules.erase(first.seq)
    const second = await make({ name: 'changing', every: '1s', payload: { name: 'recreated' } })
    assert.notEqual(second.id, first.id)
    const pool = await lab.work()
    await waitFor('a run', () => runsOf('recreated').length > 0)
    pool.abort()
    await pool.ended
  }).timeout(120_000)

  test('are defined by job classes too, also after the start, once a name', async ({ assert }) => {
    start()
    await Note.schedule({ name: 'by class' })
      .id('by class')
      .cron('0 7 * * *')
      .timezone('Europe/Berlin')
      .with({ attempts: 3 })
      .with({ tags: ['morning'] })
    await Note.schedule({ name: 'again' }).every('1h')
    await assert.rejects(
      async () => Note.schedule({ name: 'again' }).every('2h'),
      'Two schedules of the code are named "tests.note"'
    )
    await assert.rejects(
      async () => Note.schedule({ name: 'never' }).id('never'),
      'The schedule "never" needs either a cron expression or an interval ("every")'
    )
    const made = await waitFor('both', async () => {
      const all = await records.schedules.list({ after: '', limit: 100 })
      return all.length === 2 && all.every(({ plannedAt }) => plannedAt !== 0) && all
    })
    const [byClass, other] = made
    assert.deepInclude(byClass, {
      ...{ name: 'by class', type: 'tests.note', queue: 'tests', origin: 'code' },
      ...{ payload: '{"name":"by class"}', cron: '0 7 * * *', zone: 'Europe/Berlin' },
      options: { attempts: 3, tags: ['morning'] },
    })
    assert.deepInclude(other, { name: 'tests.note', every: 3_600_000 })
  }).timeout(120_000)

  test('of the code that no process defines any more are stopped', async ({ assert }) => {
    queue.schedule('gone').cron('@daily').job(Note, { name: 'gone' })
    await assertSchedules({ records, queue }, Date.now() - 1_000_000)
    queue.schedules.clear()
    start({ forgotten: 300_000 })
    await waitFor('it to stop', async () => {
      const schedule = (await records.schedules.named('gone'))!
      return schedule.withdrawn && schedule.plannedAt === null
    })
    queue.schedule('gone').cron('@daily').job(Note, { name: 'gone' })
    await Promise.all(services.splice(0).map((service) => service.stop()))
    start()
    const back = await waitFor('it to go on', async () => {
      const schedule = (await records.schedules.named('gone'))!
      return !schedule.withdrawn && schedule.plannedAt ? schedule : false
    })
    assert.isAbove(back.plannedAt!, Date.now())
  }).timeout(120_000)
})
