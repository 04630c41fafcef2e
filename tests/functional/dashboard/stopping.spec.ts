import { test } from '@japa/runner'
import { Job, type JobOptions } from '#queuedeck'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from './lab.ts'

let letGo = () => {}
const gate = new Promise<void>((resolve) => (letGo = resolve))

/** Ignores its signal until the test lets it go, and goes on writing. */
class Deaf extends Job<{ waits: boolean }, string> {
  static options: JobOptions = { name: 'tests.deaf', queue: 'tests' }

  async execute() {
    if (this.payload.waits) await gate
    await this.progress(99)
    return 'too late'
  }
}

test.group('Dashboard | jobs that ignore their signal', () => {
  test('show it until their code returns, and hold their place until then', async ({
    assert,
    cleanup,
  }) => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    const lab = await DashboardLab.open({ classes: [Deaf] })
    cleanup(async () => {
      letGo()
      process.off('unhandledRejection', note)
      await lab.close()
    })
    await lab.work({ concurrency: 1, grace: 400 })
    const client = lab.client()
    /** Its session and the templates, which the first request makes. */
    await client.post(`/jobs/${await lab.dispatch(Deaf, { waits: false }, { delay: '1h' })}/cancel`)
    const id = await lab.dispatch(Deaf, { waits: true })
    await lab.record(id, 'running')
    const second = await lab.dispatch(Deaf, { waits: false })

    const { json } = await client.post(`/jobs/${id}/cancel`, { reason: 'enough' })
    assert.equal(json.outcome, 'requested')
    assert.deepInclude(json.job, { status: 'cancelled', stopping: true })
    assert.include((await client.page(`/jobs/${id}`)).text, '#i-stopping')

    await waitFor(
      'its signal to be ignored',
      async () => (await client.json(`/jobs/${id}`)).json.signalIgnored
    )
    for (const path of [`/jobs/${id}`, '/jobs']) {
      assert.include((await client.page(path)).text, 'ignored the signal', path)
    }
    assert.equal((await client.json(`/jobs/${second}`)).json.status, 'pending')

    letGo()
    const ended = await lab.record(id, 'cancelled')
    assert.deepInclude(ended, { stopping: false, signalIgnored: false, result: null })
    assert.lengthOf(ended.attemptList, 1)
    assert.notEqual(ended.progress.percent, 99)
    assert.deepEqual(
      ended.events.map(({ kind }) => kind).filter((kind) => kind !== 'added'),
      ['running', 'cancelled', 'signal ignored', 'stopped']
    )
    const page = (await client.page(`/jobs/${id}`)).text
    assert.include(page, 'It ignored its signal')
    assert.notInclude(page, 'ignored the signal')

    const returned = ended.events.find(({ kind }) => kind === 'stopped')!.at
    const next = await lab.record(second, 'completed')
    assert.isAtLeast(next.startedAt!, returned - 5)
    assert.deepEqual(unhandled, [])
  })
})
