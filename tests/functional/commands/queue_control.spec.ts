import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CommandLab } from './lab.ts'

test.group('queue:pause, queue:resume, queue:drain', (group) => {
  let lab: CommandLab

  group.setup(async () => {
    lab = await CommandLab.open()
    await lab.work()
    return () => lab.close()
  })

  const dispatch = async (...more: string[]): Promise<string> => {
    const { json } = await lab.ask('queue:dispatch', 'demo.sleep', '{"ms":1}', ...more)
    return json.job.id
  }

  const become = (id: string, status: string) =>
    waitFor(
      `${id} to be ${status}`,
      async () => (await lab.ask('queue:show', id)).json.job?.status === status
    )

  test('hold jobs back from the worker, cancel them, and let the next ones run', async ({
    assert,
  }) => {
    await become(await dispatch(), 'completed')
    const paused = await lab.ask('queue:pause', 'demo')
    assert.equal(paused.code, 0)
    assert.deepInclude(paused.json, { outcome: 'done', changed: true })
    assert.isTrue(paused.json.queue.paused)
    assert.deepInclude((await lab.ask('queue:pause', 'demo')).json, { changed: false })

    const waiting = await dispatch()
    const later = await dispatch('--delay=1h')
    const unasked = await lab.ask('queue:drain', 'demo')
    assert.equal(unasked.code, 1)
    assert.match(unasked.json.errors[0].message, /1 job waiting .* add --force/)
    const { code, output } = await lab.run('queue:drain', 'demo')
    assert.equal(code, 1)
    assert.include(output, '--force')
    assert.equal((await lab.ask('queue:show', waiting)).json.job.status, 'pending')

    const drained = await lab.ask('queue:drain', 'demo', '--force')
    assert.equal(drained.code, 0)
    assert.deepInclude(drained.json, { cancelled: 1, requested: 0 })
    await become(waiting, 'cancelled')
    assert.equal((await lab.ask('queue:show', later)).json.job.status, 'scheduled')
    const all = await lab.run('queue:drain', 'demo', '--scheduled', '--force')
    assert.equal(all.code, 0)
    assert.include(all.output, 'queue demo: 1 job cancelled')
    await become(later, 'cancelled')

    const resumed = await lab.ask('queue:resume', 'demo')
    assert.deepInclude(resumed.json, { outcome: 'done', changed: true })
    await become(await dispatch(), 'completed')
  })

  test('stops draining at Ctrl-C, and says so: the rest waits', async ({ assert, cleanup }) => {
    await lab.ask('queue:pause', 'demo')
    const waiting = await dispatch()
    const { queueControl } = await lab.app.container.make('queuedeck.transport')
    const drain = queueControl.drain
    queueControl.drain = (...given) => {
      /** The command's: the others would end this process. */
      process.listeners('SIGINT').at(-1)!('SIGINT')
      return drain.apply(queueControl, given)
    }
    cleanup(() => void (queueControl.drain = drain))
    const { code, json } = await lab.ask('queue:drain', 'demo', '--force')
    assert.equal(code, 1)
    assert.deepInclude(json, { outcome: 'stopped', cancelled: 0 })
    assert.equal((await lab.ask('queue:show', waiting)).json.job.status, 'pending')
  })

  test('fail for a queue that nobody knows', async ({ assert }) => {
    for (const command of ['queue:pause', 'queue:resume', 'queue:drain']) {
      const unknown = await lab.ask(command, 'unheard')
      assert.equal(unknown.code, 1, command)
      assert.equal(unknown.json.errors[0].code, 'E_QUEUE_NOT_FOUND')
    }
  })
})
