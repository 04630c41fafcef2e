import { test } from '@japa/runner'
import { Worker } from 'bullmq'
import { Cleanup } from '../../../src/cleanup/cleanup.ts'
import { defineConfig } from '../../../src/config.ts'
import { Job } from '../../../src/jobs/job.ts'
import { defineSchedule } from '../../../src/jobs/schedule_definition.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { Records } from '../../../src/records/records.ts'
import { Planner } from '../../../src/schedules/planner.ts'
import { ScheduleService } from '../../../src/schedules/schedule_service.ts'
import { plainWorkers } from '../../../src/transport/server_facts.ts'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab, silent } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { WorkerLab } from '../worker/lab.ts'
import { AlertLab, only } from './lab.ts'

const MINUTE = 60_000

class Nightly extends Job {
  static options = { name: 'nightly', queue: 'mails' }
  execute() {}
}

test.group('Causes of alerts', (group) => {
  let url: string
  let lab: Lab
  let records: Records
  let alerts: AlertLab

  group.each.setup(async () => {
    url = (await redisServer()).url
    const { connection } = await createDatabase()
    await migrate(connection)
    lab = new Lab(url)
    records = openRecords(connection)
    alerts = new AlertLab(lab, records)
    return async () => {
      await alerts.close()
      await lab.close()
      await records.close()
    }
  })

  const report = (id: string, more: object) =>
    lab.transport.workers.report(id, {
      id,
      host: 'web-1',
      pid: 7,
      state: 'active',
      queues: ['mails'],
      running: [],
      cpu: 0.5,
      cores: 4,
      memory: { used: 100, limit: 1_000 },
      ...more,
    })

  test('jobs wait in a queue that no worker serves, for two minutes', async ({ assert }) => {
    await lab.add('mails')
    await lab.transport.registerQueues(['empty'])
    assert.deepEqual(await alerts.look(), [])
    assert.deepEqual(await alerts.look(2 * MINUTE - 1_000), [])
    assert.deepEqual(await alerts.look(1_000), ['noWorker mails'])
    const [alert] = await alerts.alerts().open()
    assert.equal(alert.text, '1 job waits in queue "mails", and no worker serves it')
    assert.deepInclude(alert, { value: 1, threshold: 1, unit: 'count', clearedAt: null })

    await report('w1', { state: 'quiet' })
    assert.deepEqual(await alerts.look(), ['noWorker mails'])
    await report('w1', {})
    assert.deepEqual(await alerts.look(), [])
    assert.deepEqual(alerts.told, ['opened noWorker mails', 'cleared noWorker mails'])
    const [past] = await alerts.alerts().past({ limit: 5 })
    assert.equal(past.id, alert.id)
    assert.isNotNull(past.clearedAt)
  })

  test('not while the queue is paused, and not when a worker came in between', async ({
    assert,
  }) => {
    lab.mirror(records)
    await lab.add('mails')
    await lab.transport.queueControl.pause('mails')
    await alerts.look()
    assert.deepEqual(await alerts.look(3 * MINUTE), [])
    await lab.transport.queueControl.resume('mails')
    await alerts.look()
    await report('w1', {})
    await alerts.look(MINUTE)
    await lab.transport.workers.remove('w1')
    await alerts.look()
    assert.deepEqual(await alerts.look(MINUTE), [])
    assert.deepEqual(await alerts.look(MINUTE), ['noWorker mails'])
  })

  test('not where a plain BullMQ worker serves the queue', async ({ assert, cleanup }) => {
    const own = new AlertLab(lab, records, { alerts: { rules: only({ noWorker: {} }) } })
    const { prefix } = lab.transport.keys
    const plain = new Worker('mails', () => new Promise(() => {}), {
      ...{ prefix, connection: { url } as object },
    })
    cleanup(() => plain.close(true))
    await waitFor('it to be seen', async () =>
      (await plainWorkers(lab.transport, ['mails']))?.has('mails')
    )
    await lab.add('mails')
    await lab.add('mails')
    assert.deepEqual(await own.look(), [])
    assert.deepEqual(await own.look(2 * MINUTE), [])
    await plain.close(true)
    await own.look()
    assert.deepEqual(await own.look(2 * MINUTE), ['noWorker mails'])
    await own.close()
  })

  test('a job has been pending for an hour, until it runs', async ({ assert }) => {
    await lab.add('mails')
    const mirror = lab.mirror(records)
    await lab.mirrored()
    await report('w1', {})
    assert.deepEqual(await alerts.look(59 * MINUTE), [])
    assert.deepEqual(await alerts.look(2 * MINUTE), ['oldestPending mails'])
    assert.match((await alerts.alerts().open())[0].text, /"mails" has been pending for 1 h/)
    lab.worker('mails', () => 1)
    await waitFor('the job to end', async () => (await alerts.look()).length === 0)
    await mirror.stop()
  })

  test('workers use their host up in two reports', async ({ assert }) => {
    const busy = { cpu: 2, memory: { used: 480, limit: 1_000 } }
    await report('w1', busy)
    await report('w2', busy)
    await report('other', { host: 'web-2', cpu: 0.1 })
    assert.deepEqual(await alerts.look(), [])
    /** The same reports are no further sample. */
    assert.deepEqual(await alerts.look(1_000), [])
    alerts.ahead += 10_000
    assert.deepEqual(await alerts.look(), ['memory web-1', 'cpu web-1'])
    const [memory, cpu] = await alerts.alerts().open()
    assert.include(cpu.text, '100 % of its 4 cores')
    assert.include(memory.text, '96 % of its memory: 960 B of 1.0 kB')

    /** Below the threshold, and not yet below what clears it. */
    await report('w1', { cpu: 1.5, memory: { used: 400, limit: 1_000 } })
    assert.deepEqual(await alerts.look(), ['memory web-1', 'cpu web-1'])
    await report('w1', { cpu: 0.5, memory: { used: 200, limit: 1_000 } })
    assert.deepEqual(await alerts.look(), [])
  })

  test('workers that do not tell what they use are none that use nothing', async ({ assert }) => {
    const busy = { cpu: 4, memory: { used: 960, limit: 1_000 } }
    await report('w1', busy)
    await report('other', { ...busy, host: 'web-2', memory: { used: 960 } })
    await report('unlimited', { ...busy, host: 'web-3', memory: { used: 960, limit: 0 } })
    await alerts.look()
    alerts.ahead += 10_000
    assert.sameMembers(await alerts.look(), ['memory web-1', 'cpu web-1', 'cpu web-3'])
  })

  test('a host that is used up and falls silent is not over it', async ({ assert }) => {
    const silence = (id: string) =>
      lab.redis.zadd(lab.transport.keys.workers, Date.now() - 40_000, id)
    await report('w1', { cpu: 4 })
    assert.deepEqual(await alerts.look(), [])
    alerts.ahead += 10_000
    assert.deepEqual(await alerts.look(), ['cpu web-1'])
    await silence('w1')
    assert.deepEqual(await alerts.look(), ['cpu web-1'])
    /** Beside a worker that reports, one that does not is gone. */
    await report('w2', { cpu: 1 })
    assert.deepEqual(await alerts.look(), [])
  })

  test('a worker that was killed does not count beside its replacement', async ({ assert }) => {
    const old = (age: number) => lab.redis.zadd(lab.transport.keys.workers, Date.now() - age, 'old')
    const memory = (used: number) => ({ memory: { used, limit: 1_000 } })
    await report('old', memory(600))
    await old(3_000)
    for (const age of [13_000, 23_000]) {
      await report('new', memory(350))
      assert.deepEqual(await alerts.look(), [])
      await old(age)
      alerts.ahead += 10_000
    }
    await report('old', memory(600))
    await alerts.look()
    assert.deepEqual(await alerts.look(10_000), ['memory web-1'])
    await old(16_000)
    assert.deepEqual(await alerts.look(), [])
  })

  test('one busy report is none', async ({ assert }) => {
    await report('w1', { cpu: 4 })
    await alerts.look()
    await report('w1', { cpu: 1 })
    await alerts.look(10_000)
    await report('w1', { cpu: 4 })
    assert.deepEqual(await alerts.look(10_000), [])
  })

  test('half of the jobs that ended lately failed, of twenty at least', async ({ assert }) => {
    lab.mirror(records)
    await report('w1', {})
    let fails = true
    lab.worker('mails', () => {
      if (fails) throw new Error('no')
    })
    const end = async (count: number) => {
      await Promise.all(Array.from({ length: count }, () => lab.add('mails')))
      const ended = async () => {
        const { mails } = await lab.transport.depths(['mails'], lab.redis)
        return mails.pending + mails.running === 0
      }
      await waitFor('the jobs to end', ended)
      await lab.mirrored()
    }
    await end(19)
    assert.deepEqual(await alerts.look(), [])
    await end(1)
    assert.deepEqual(await alerts.look(), ['failureRate mails'])
    assert.match((await alerts.alerts().open())[0].text, /^20 of the 20 jobs .* \(100 %\)$/)
    fails = false
    await end(40)
    assert.deepEqual(await alerts.look(), ['failureRate mails'], 'a third is not below a quarter')
    await end(30)
    assert.deepEqual(await alerts.look(), [])
  })

  test('nobody mirrors, until somebody does', async ({ assert }) => {
    await lab.add('mails')
    await report('w1', {})
    assert.deepEqual(await alerts.look(MINUTE + 1_000), [])
    assert.deepEqual(await alerts.look(30_000), ['mirrorLag mirror'])
    const [alert] = await alerts.alerts().open()
    assert.match(alert.text, /"mails" is 1 min 3\d s behind; no mirror runs/)
    lab.mirror(records)
    await waitFor('the mirror to catch up', async () => (await alerts.look()).length === 0)
  })

  test('no cleanup has begun, until one does', async ({ assert }) => {
    const cleanup = new Cleanup({
      ...alerts.dependencies(),
      records,
      config: defineConfig({}),
      logger: silent,
      patience: 100,
    })
    assert.deepEqual(await alerts.look(), [])
    assert.deepEqual(await alerts.look(30 * MINUTE), [])
    assert.deepEqual(await alerts.look(MINUTE), ['cleanupOverdue cleanup'])
    await cleanup.run({ trigger: 'command', actor: 'a test' })
    assert.deepEqual(await alerts.look(), [])
    await alerts.look(31 * MINUTE)
    assert.deepEqual(await alerts.look(MINUTE), ['cleanupOverdue cleanup'])
  })

  test('a schedule did not run, until its job has run and the next one is planned', async ({
    assert,
    cleanup,
  }) => {
    const own = new AlertLab(lab, records, { alerts: { rules: only({ missedSchedule: {} }) } })
    const work = new WorkerLab(url, [Nightly], {}, lab.transport.keys.prefix)
    const dependencies = { transport: work.transport, records, queue: work.manager }
    const service = new ScheduleService({ ...dependencies, logger: silent, tick: 100 })
    cleanup(async () => {
      await service.stop()
      await work.close()
      await own.close()
    })
    const every = 60 * MINUTE
    const planAt = async (name: string, moment: number) => {
      const definition = await defineSchedule(work.manager, {
        ...{ name, type: Nightly, every, missed: 'once' },
      })
      const base = { id: uuidV7(), origin: 'page', createdAt: 1, createdBy: 'test' } as const
      await records.schedules.insert({ ...definition, ...base })
      const schedule = (await records.schedules.named(name))!
      await new Planner(dependencies).plan([schedule], moment)
      const [run] = await records.schedules.runs(schedule.seq, { limit: 1 })
      return run.jobId!
    }
    lab.mirror(records)
    await planAt('in time', Date.now())
    assert.deepEqual(await own.look(), [])
    /** Planned when it was, and then nothing ran any more. */
    const late = await planAt('late', Date.now() - every - 3 * MINUTE)
    assert.deepEqual(await own.look(), ['missedSchedule late'])
    const [{ text }] = await own.alerts().open()
    assert.match(text, /^Schedule "late" was due .* ago, and its job has not started$/)
    await work.start({ queues: ['mails'] })
    await waitFor('the run', async () => {
      const [job] = await records.reader.rowsById([late])
      return job?.status === 'completed'
    })
    assert.deepEqual(await own.look(), ['missedSchedule late'], 'nobody plans the next one')
    service.start()
    await waitFor('the alert to clear', async () => (await own.look()).length === 0)
    assert.deepEqual(own.told, ['opened missedSchedule late', 'cleared missedSchedule late'])
  })

  test('rules that are off raise nothing, and close what is open', async ({ assert }) => {
    await lab.add('mails')
    await alerts.look()
    assert.deepEqual(await alerts.look(2 * MINUTE), ['noWorker mails'])
    const off = new AlertLab(lab, records, { alerts: { rules: { noWorker: false } } })
    assert.deepEqual(await off.look(), [])
    assert.deepEqual(await off.look(3 * MINUTE), [])
    await off.close()
  })
})
