import { test } from '@japa/runner'
import { applicationEnv } from '#tests/helpers/app'
import { createDatabase } from '#tests/helpers/databases'
import { knowDocuments } from '#tests/helpers/known_documents'
import { redisServer } from '#tests/helpers/servers'
import { StartLab } from './start_lab.ts'

test.group('npm start', () => {
  test('uses the Redis and the database that it is told to', async ({ assert, cleanup }) => {
    const lab = await StartLab.create()
    cleanup(() => lab.end())
    const redis = await redisServer({ own: true, settings: { requirepass: 'secret' } })
    const database = await createDatabase()
    await knowDocuments(database.env.DB_DATABASE!)
    const env = await applicationEnv({ redisPort: redis.port, database })
    const start = await lab.startWhole({ ...env, PORT: String(lab.port), REDIS_PASSWORD: 'secret' })
    assert.notInclude(start.output(), 'private Redis')
    assert.include(start.output(), 'document jobs are already there')
    assert.equal(lab.running!.redis.port, redis.port)
    assert.equal(lab.running!.database, env.DB_DATABASE)
    assert.notInclude(
      lab.running!.processes.map(({ name }) => name),
      'redis'
    )
    assert.equal((await start.stop('SIGTERM', 60_000)).code, 0)
    await redis.stop()
  })
})
