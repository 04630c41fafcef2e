import { test } from '@japa/runner'
import { applicationEnv, migrate, runAce } from '#tests/helpers/app'
import { createDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'

test.group('Commands | queue:cleanup', (group) => {
  let env: Record<string, string>
  let redis: Awaited<ReturnType<typeof redisServer>>

  group.setup(async () => {
    const own = await redisServer({ own: true })
    redis = own
    env = await applicationEnv({ redisPort: own.port, database: await createDatabase() })
    await migrate(env)
    return () => own.stop()
  })

  test('says what it removed, and what it would', async ({ assert }) => {
    const dry = await runAce(['queue:cleanup', '--dry-run'], env)
    assert.equal(dry.code, 0)
    assert.include(dry.output, 'Nothing would be removed')
    const { code, stdout } = await runAce(['queue:cleanup', '--json'], env)
    assert.equal(code, 0)
    const { cleanup } = JSON.parse(stdout)
    assert.containSubset(cleanup, { id: 2, trigger: 'command', dryRun: false, error: null })
    assert.equal(cleanup.counts.completedRecords, 0)
    assert.equal(Date.parse(cleanup.endedAt) - Date.parse(cleanup.startedAt), cleanup.duration)
  })

  test('fails honestly, with one JSON document', async ({ assert }) => {
    const { code, stdout } = await runAce(['queue:cleanup', '--json'], {
      ...env,
      REDIS_PORT: '1',
    })
    assert.equal(code, 1)
    assert.equal(JSON.parse(stdout).errors[0].code, 'E_REDIS_UNAVAILABLE')
    assert.isAbove(redis.port, 0)
  })

  test('says when another cleanup runs', async ({ assert }) => {
    const { Redis } = await import('ioredis')
    const client = new Redis(redis.url)
    try {
      await client.set('{queuedeck}~lease:cleanup-run', 'another', 'PX', 60_000)
      const { code, stdout } = await runAce(['queue:cleanup', '--json'], env)
      assert.equal(code, 1)
      assert.equal(JSON.parse(stdout).errors[0].code, 'E_CLEANUP_RUNNING')
    } finally {
      await client.quit()
    }
  })
})
