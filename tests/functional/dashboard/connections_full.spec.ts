import { test } from '@japa/runner'
import { Redis } from 'ioredis'
import { redisServer, type PrivateServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { DashboardLab } from './lab.ts'

test.group('Dashboard | Redis takes no further connection', (group) => {
  let server: PrivateServer
  let redis: Redis
  let lab: DashboardLab

  group.setup(async () => {
    server = await redisServer({ own: true })
    redis = new Redis(server.url)
    lab = await DashboardLab.open({ redis: { host: '127.0.0.1', port: server.port } })
    return async () => {
      await redis.config('SET', 'maxclients', 1_000)
      await lab.close()
      redis.disconnect()
      await server.stop()
    }
  })

  test('a cleanup is refused in words and soon; what has its connection goes on', async ({
    assert,
  }) => {
    const client = lab.client()
    assert.isFalse((await client.json('')).json.health.redis.away)
    await redis.config('SET', 'maxclients', 1)
    for (const dryRun of [false, true]) {
      const asked = stopwatch()
      const { status, json } = await client.post('/cleanups', { dryRun })
      assert.equal(status, 503)
      assert.equal(json.errors[0].code, 'E_REDIS_UNAVAILABLE')
      assert.match(json.errors[0].message, /nothing was cleaned up.*maxclients/)
      assert.isBelow(asked(), 5_000)
      assert.isFalse((await client.json('')).json.health.redis.away)
    }
    await redis.config('SET', 'maxclients', 1_000)
    assert.equal((await client.post('/cleanups', { dryRun: true })).status, 202)
  })
})
