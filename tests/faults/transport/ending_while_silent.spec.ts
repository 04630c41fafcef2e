import { test } from '@japa/runner'
import { applicationEnv, migrate, startWeb, startWorker } from '#tests/helpers/app'
import { type PrivateServer, redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'

test.group('Ending while Redis says nothing', (group) => {
  let redis: PrivateServer
  let env: Record<string, string>
  group.setup(async () => {
    redis = await redisServer({ own: true })
    env = await applicationEnv({ redisPort: redis.port })
    await migrate(env)
    return () => redis.stop()
  })
  group.each.teardown(() => redis.thaw())

  for (const since of ['the start', 'some time ago']) {
    test(`the web server and a worker end at SIGTERM, silence since ${since}`, async ({
      assert,
    }) => {
      if (since === 'the start') redis.freeze()
      const worker = startWorker(env)
      const web = await startWeb(env)
      assert.equal((await fetch(`${web.url}/admin/queue`)).status, 200)
      const words = since === 'the start' ? 'waits for Redis' : 'jobs at once'
      await waitFor('its start', () => worker.output().includes(words))
      redis.freeze()
      const ends = async (started: typeof worker) => {
        const asked = performance.now()
        const { code } = await started.stop('SIGTERM')
        assert.equal(code, 0, started.output())
        /** Mostly waits of seconds; without an end of them it would be minutes. */
        assert.isBelow(performance.now() - asked, 25_000)
      }
      await Promise.all([ends(web), ends(worker)])
    })
  }
})
