import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { QueueManager } from '../../../src/jobs/queue_manager.ts'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import { defineSchedule } from '../../../src/jobs/schedule_definition.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { Records } from '../../../src/records/records.ts'
import { runId } from '../../../src/records/schedules/run_id.ts'
import { ScheduleService } from '../../../src/schedules/schedule_service.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'

const folder = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/jobs/${name}`, import.meta.url))

test.group('Schedules | what the type says', (group) => {
  let lab: DashboardLab
  let records: Records
  let transport: Transport
  let config: QueueManager['config']
  let service: ScheduleService

  group.setup(async () => {
    lab = await DashboardLab.open({ shield: false })
    records = await lab.app.container.make('queuedeck.records')
    transport = await lab.app.container.make('queuedeck.transport')
    config = (await lab.app.container.make('queuedeck')).config
    const own = await lab.app.container.make('queuedeck.schedules.service')
    await own.stop()
    return () => lab.close()
  })
  group.each.teardown(() => service.stop())

  /** As a process has it that has just started: nothing has asked for a type. */
  const fresh = (name: string) =>
    new QueueManager(config, new JobRegistry(folder(name)), transport, null as never)

  function start(queue: QueueManager, warn: (message: string) => void = () => {}) {
    const logger = { debug: () => {}, warn: (_: object, message: string) => warn(message) }
    service = new ScheduleService({ transport, records, queue, logger, lease: 1_000, tick: 100 })
    service.start()
  }

  async function make(name: string) {
    const definition = await defineSchedule(fresh('scheduled'), {
      ...{ name, type: 'tests.nightly', every: '1h', payload: { patient: 'Ada' } },
    })
    const base = { id: uuidV7(), origin: 'page', createdAt: Date.now(), createdBy: 'test' } as const
    await records.schedules.insert({ ...definition, ...base })
  }

  test('counts for runs that a process plans which has read no class before', async ({
    assert,
  }) => {
    await make('nightly')
    start(fresh('scheduled'))
    const { id, generation, plannedAt } = await waitFor('its next run', async () => {
      const schedule = (await records.schedules.named('nightly'))!
      return schedule.plannedAt !== 0 && schedule
    })
    const run = await lab.record(runId(id, generation, plannedAt!))
    assert.deepEqual([run.attempts.max, run.priority, run.tags], [3, 7, ['night']])
    assert.isTrue(run.sensitive)
  })

  test('keeps runs from being planned, and says so, while it cannot be read', async ({
    assert,
  }) => {
    await make('doubled')
    const told: string[] = []
    start(fresh('doubled'), (message) => told.push(message))
    await waitFor('a second try', () => told.length > 1)
    assert.include(told[0], 'none is planned while the job classes cannot be read')
    assert.isBelow(told.length, 4)
    assert.equal((await records.schedules.named('doubled'))!.plannedAt, 0)
  })
})
