import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { CommandLab } from './lab.ts'

test.group('Commands | queue:limits', (group) => {
  let lab: CommandLab

  group.setup(async () => {
    lab = await CommandLab.open()
    await lab.work()
    return () => lab.close()
  })

  const ask = (...args: string[]) => lab.ask(...args)

  test('sets limits, shows who runs and who is held back, and lets them go', async ({ assert }) => {
    const set = await ask('queue:limits', '--user-of=ada:1', '--global=20', '--queue-of=mail:none')
    assert.equal(set.code, 0)
    assert.isTrue(set.json.changed)
    assert.containsSubset(set.json.limits, [
      { kind: 'global', limit: 20 },
      { kind: 'user', user: 'ada', limit: 1, running: 0 },
      { kind: 'queue', queue: 'mail', limit: null },
    ])
    const { set: by } = set.json.limits.find((one: { kind: string }) => one.kind === 'global')
    assert.match(by.by, /command line/)
    assert.closeTo(Date.parse(by.at), Date.now(), 60_000)

    const ids: string[] = []
    for (let count = 0; count < 2; count++) {
      const job = await ask('queue:dispatch', 'demo.sleep', '{"ms":60000}', '--user=ada')
      ids.push(job.json.job.id)
    }
    const reason = { kind: 'user', name: 'ada', running: 1, limit: 1, text: 'user limit 1/1' }
    const { data } = await waitFor('one to run and one to wait', async () => {
      const { json } = await ask('queue:jobs', '--user=ada')
      const texts = json.data.map((job: any) => job.waiting?.text ?? job.status)
      return texts.join() === 'user limit 1/1,running' && json
    })
    assert.deepEqual(data[0].waiting, reason)
    assert.deepEqual((await ask('queue:show', ids[1]!)).json.job.waiting, reason)
    assert.include((await lab.run('queue:show', ids[1]!)).output, 'user limit 1/1')

    const shown = await ask('queue:limits')
    assert.isFalse(shown.json.changed)
    assert.deepEqual(shown.json.users, [{ user: 'ada', running: 1, limit: 1 }])
    const [held] = shown.json.heldBack
    assert.containsSubset(held, { kind: 'user', name: 'ada', jobs: 1 })
    const text = await lab.run('queue:limits')
    assert.equal(text.code, 0)
    assert.match(text.output, /user ada runs 1 of 1/)
    assert.match(text.output, /held back in queue demo: 1 by the user limit of ada/)

    const lifted = await ask('queue:limits', '--user-of=ada:none', '--global=default')
    assert.containsSubset(lifted.json.limits, [
      { kind: 'user', user: 'ada', limit: null },
      { kind: 'global', limit: 10, set: null },
    ])
    await waitFor(
      'both to run',
      async () => (await ask('queue:limits')).json.users[0].running === 2
    )
  })

  test('refuses with code 1, naming value and remedy, and changes nothing', async ({ assert }) => {
    const { code, json } = await ask('queue:limits', '--user=7', '--global=0')
    assert.equal(code, 1)
    assert.equal(json.errors[0].code, 'E_INVALID_INPUT')
    assert.equal(json.errors[0].field, 'global')
    assert.match(json.errors[0].message, /"0" cannot be a limit: give a whole number/)
    const { limits } = (await ask('queue:limits')).json
    const each = limits.find((one: any) => one.kind === 'user' && one.user === undefined)
    assert.deepInclude(each, { limit: 3, set: null })
  })
})
