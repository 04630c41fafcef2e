import { test } from '@japa/runner'
import { Job, type JobOptions } from '#queuedeck'
import { ScheduleOperations } from '../../../src/operations/schedules.ts'
import { CommandLab } from './lab.ts'

class Echo extends Job<object, void> {
  static options: JobOptions = { name: 'tests.echo' }
  execute() {}
}
class Sealed extends Echo {
  static options: JobOptions = { name: 'tests.sealed', sensitive: true }
}

test.group('queue:schedules', () => {
  test('deletes nothing, with code 1, where nobody can be asked', async ({ assert, cleanup }) => {
    const lab = await CommandLab.open()
    cleanup(() => lab.close())
    const { container } = lab.app
    const operations = new ScheduleOperations({
      queue: await container.make('queuedeck'),
      records: await container.make('queuedeck.records'),
      transport: await container.make('queuedeck.transport'),
    })
    const actor = { id: '1', name: 'Ada', via: 'code' } as const
    await operations.create(
      { name: 'nightly', type: 'demo.sleep', payload: { ms: 1 }, every: '1h' },
      actor
    )

    const stdin = Object.getOwnPropertyDescriptor(process.stdin, 'isTTY')
    Object.defineProperty(process.stdin, 'isTTY', { value: undefined, configurable: true })
    cleanup(() => {
      if (stdin) Object.defineProperty(process.stdin, 'isTTY', stdin)
    })
    const unasked = await lab.run('queue:schedules', 'nightly', '--delete')
    assert.equal(unasked.code, 1, unasked.output)
    assert.match(unasked.output, /nobody can be asked here: add --force/)

    const hostile = await lab.run('queue:schedules', '\u001b[31mnone')
    assert.include(hostile.output, '\\x1b[31mnone')

    const sure = await lab.run('queue:schedules', 'nightly', '--delete', '--force')
    assert.equal(sure.code, 0, sure.output)
    assert.equal((await lab.ask('queue:schedules')).json.data.length, 0)
  })

  test('shows no secret that a payload quotes, and nothing of sensitive ones', async ({
    assert,
    cleanup,
  }) => {
    const lab = await CommandLab.open()
    cleanup(() => lab.close())
    const queue = await lab.app.container.make('queuedeck')
    const operations = new ScheduleOperations({
      queue,
      records: await lab.app.container.make('queuedeck.records'),
      transport: await lab.app.container.make('queuedeck.transport'),
    })
    const payload = { password: 'p-333', note: 'with p-333' }
    for (const type of [Echo, Sealed]) {
      const { name } = queue.registry.register(type)
      const actor = { id: '1', name: 'Ada', via: 'code' } as const
      await operations.create({ name, type, payload, every: '1h' }, actor)
    }
    const { data } = (await lab.ask('queue:schedules')).json
    assert.deepEqual(
      data.map((schedule: { payload: unknown }) => schedule.payload),
      [{ password: '[redacted]', note: 'with [redacted]' }, '[redacted]']
    )
  })
})
