import { constants, getPriority } from 'node:os'
import { test } from '@japa/runner'
import { applicationEnv, spawnNode } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { migratedDatabase } from './lab.ts'

test.group('queue:mirror', () => {
  test('leads, lets other processes go first, and ends in order', async ({ assert, cleanup }) => {
    const redis = await redisServer({ own: true })
    const env = await applicationEnv({ redisPort: redis.port, database: await migratedDatabase() })
    const mirror = spawnNode(['ace.js', 'queue:mirror'], env)
    cleanup(async () => {
      await mirror.stop('SIGKILL')
      await redis.stop()
    })
    await waitFor('it to lead', () => mirror.output().includes('mirrors jobs into records'), {
      within: 60_000,
    })
    assert.equal(getPriority(mirror.pid), constants.priority.PRIORITY_BELOW_NORMAL)
    assert.equal((await mirror.stop('SIGTERM')).code, 0)
  })
})
