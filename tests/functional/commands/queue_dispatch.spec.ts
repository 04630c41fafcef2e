import { test } from '@japa/runner'
import { CommandLab } from './lab.ts'

test.group('queue:dispatch', (group) => {
  let lab: CommandLab

  group.setup(async () => {
    lab = await CommandLab.open()
    return () => lab.close()
  })

  test('dispatches a job and prints one JSON document', async ({ assert }) => {
    const { code, json } = await lab.ask(
      'queue:dispatch',
      'demo.sleep',
      '{"ms":1}',
      '--queue=command tests'
    )
    assert.equal(code, 0)
    assert.deepInclude(json.job, { type: 'demo.sleep', queue: 'command tests' })
  })

  test('keeps tags that look like numbers as they are written', async ({ assert }) => {
    const args = ['demo.sleep', '{"ms":1}', '--queue=tagged', '--tags=1.10', '--tags=0x10,2026']
    const { code, json } = await lab.ask('queue:dispatch', ...args)
    assert.equal(code, 0)
    const { keys, connections } = await lab.app.container.make('queuedeck.transport')
    const opts = await connections.worker.hget(keys.job('tagged', json.job.id), 'opts')
    assert.deepEqual(JSON.parse(opts!).qd.tags, ['1.10', '0x10', '2026'])
  })

  test('refuses {0}, saying why')
    .with([
      [['nope'], /No job type "nope"/],
      [['demo.sleep', '{"ms":-1}'], /must be at least 0/],
      [['demo.sleep', '{ms}'], /no JSON/],
      [['demo.sleep', '{"ms":1}', '--delay=5 bananas'], /5 bananas/],
      [['demo.sleep', '{"ms":1}', '--priority=first'], /whole number/],
      [['demo.sleep', '{"ms":1}', '--wait-for=x'], /must name jobs by their ids/],
      [['demo.sleep', '{"ms":1}', '--on-failure=run'], /needs --wait-for/],
    ] as [string[], RegExp][])
    .run(async ({ assert }, [args, message]) => {
      const { code, json } = await lab.ask('queue:dispatch', ...args)
      assert.equal(code, 1)
      assert.match(json.errors[0].message, message)
    })
})
