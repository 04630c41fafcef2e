import { test } from '@japa/runner'
import { applicationEnv, migrate, startWeb, startWorker } from '#tests/helpers/app'
import { type PrivateServer, redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'

test.group('Ending while Redis says nothing', (group) => {
  let redis: PrivateServer
  let env: Record<string, string>
  group.each.setup(async () => {
    redis = await redisServer({ own: true })
    env = await applicationEnv({ redisPort: redis.port })
    return async () => {
      redis.thaw()
      await redis.stop()
    }
  })

  for (const since of ['the start', 'some time ago']) {
    test(`the web server ends at SIGTERM, silence since ${since}`, async ({ assert }) => {
      await migrate(env)
      if (since === 'the start') redis.freeze()
      const web = await startWeb(env)
      assert.equal((await fetch(`${web.url}/admin/queue`)).status, 200)
      redis.freeze()
      const asked = performance.now()
      const { code } = await web.stop('SIGTERM')
      assert.equal(code, 0, web.output())
      assert.isBelow(performance.now() - asked, 8_000)
    }).timeout(60_000)

    test(`a worker ends at SIGTERM, silence since ${since}`, async ({ assert }) => {
      await migrate(env)
      if (since === 'the start') redis.freeze()
      const worker = startWorker(env)
      const words = since === 'the start' ? 'waits for Redis' : 'jobs at once'
      await waitFor('its start', () => worker.output().includes(words), { within: 20_000 })
      redis.freeze()
      const asked = performance.now()
      const { code } = await worker.stop('SIGTERM')
      assert.equal(code, 0, worker.output())
      assert.isBelow(performance.now() - asked, 8_000)
    }).timeout(60_000)
  }
})
