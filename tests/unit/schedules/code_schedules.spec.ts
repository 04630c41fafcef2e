import { test } from '@japa/runner'
import { defineConfig } from '../../../src/config.ts'
import { Job } from '../../../src/jobs/job.ts'
import { QueueManager } from '../../../src/jobs/queue_manager.ts'
import { JobRegistry } from '../../../src/jobs/registry.ts'
import { ResultWaiter } from '../../../src/jobs/result_waiter.ts'
import { assertSchedules } from '../../../src/schedules/code_schedules.ts'

class Note extends Job<object, void> {
  execute() {}
}

test('A schedule of the code that cannot be is told, and keeps no other from being written', async ({
  assert,
}) => {
  const queue = new QueueManager(
    defineConfig({}),
    new JobRegistry(),
    { add: async () => undefined },
    new ResultWaiter({ endingOf: async () => null, subscribe: async () => () => {} })
  )
  queue.schedule('before').every('1h').job(Note)
  queue.schedule('wrong').cron('@daily').job(Note, {}, { attempts: 0 })
  queue.schedule('stranger').cron('@daily').job('no.such.type')
  queue.schedule('never').job(Note)
  queue.schedule('behind').cron('@daily').job(Note)
  const written: string[] = []
  const schedules = {
    named: async () => null,
    insert: async ({ name }: { name: string }) => written.push(name) > 0,
  }
  const told: string[] = []
  await assertSchedules({ records: { schedules } as never, queue }, 0, (name, error) => {
    told.push(`${name}: ${(error as { code: string }).code}`)
  })
  assert.deepEqual(written, ['before', 'behind'])
  assert.deepEqual(told, [
    'wrong: E_INVALID_OPTION',
    'stranger: E_UNKNOWN_TYPE',
    'never: E_INVALID_INPUT',
  ])
})
