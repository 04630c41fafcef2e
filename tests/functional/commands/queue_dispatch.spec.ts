import { test } from '@japa/runner'
import { applicationEnv, runAce } from '#tests/helpers/app'
import { freePort } from '#tests/helpers/wait'

test.group('queue:dispatch', () => {
  test('dispatches a job and prints one JSON document', async ({ assert }) => {
    const env = await applicationEnv()
    const { code, stdout } = await runAce(
      ['queue:dispatch', 'demo.sleep', '{"ms":1}', '--queue=command tests', '--json'],
      env
    )
    assert.equal(code, 0)
    assert.deepInclude(JSON.parse(stdout).job, { type: 'demo.sleep', queue: 'command tests' })
  }).timeout(40_000)

  test('refuses {0}, saying why')
    .with([
      [['nope'], /No job type "nope"/],
      [['demo.sleep', '{"ms":-1}'], /must be at least 0/],
      [['demo.sleep', '{ms}'], /no JSON/],
      [['demo.sleep', '{"ms":1}', '--delay=5 bananas'], /5 bananas/],
      [['demo.sleep', '{"ms":1}', '--priority=first'], /whole number/],
    ] as [string[], RegExp][])
    .run(async ({ assert }, [args, message]) => {
      const { code, stdout } = await runAce(
        ['queue:dispatch', ...args, '--json'],
        await applicationEnv()
      )
      assert.equal(code, 1)
      assert.match(JSON.parse(stdout).errors[0].message, message)
    })
    .timeout(40_000)

  test('ends within 10 s when Redis refuses', async ({ assert }) => {
    const env = await applicationEnv({ redisPort: await freePort() })
    const started = performance.now()
    const { code, stdout } = await runAce(
      ['queue:dispatch', 'demo.sleep', '{"ms":1}', '--json'],
      env
    )
    assert.equal(code, 1)
    assert.equal(JSON.parse(stdout).errors[0].code, 'E_REDIS_UNAVAILABLE')
    assert.isBelow(performance.now() - started, 10_000)
  }).timeout(40_000)
})
