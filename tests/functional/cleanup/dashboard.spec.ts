import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'

test.group('Cleanup on the dashboard', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open()
    return () => lab.close()
  })

  test('shows the last and the next run of the web process that cleans up by itself', async ({
    assert,
  }) => {
    const { cleanup } = await waitFor('the run at the start', async () => {
      const { json } = await lab.client().json('')
      return json.cleanup.last !== null && json.cleanup.next !== null && json
    })
    const [run] = await (await lab.app.container.make('queuedeck.cleanup')).runs({ limit: 1 })
    assert.equal(run.trigger, 'start')
    assert.equal(cleanup.last, new Date(run.endedAt!).toISOString())
    assert.equal(cleanup.next, new Date(run.startedAt + 600_000).toISOString())
    const { text } = await lab.client().page('')
    assert.match(text, /Cleanup<\/h2>/)
    assert.include(text, cleanup.last)
    assert.include(text, cleanup.next)
  })
})
