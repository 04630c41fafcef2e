import { once } from 'node:events'
import { Redis } from 'ioredis'
import { test } from '@japa/runner'
import { leaveRedis } from '../../../src/console/leave_redis.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'

test('The end of a command | leaves a connection that was refused for its password, and none that works', async ({
  assert,
  cleanup,
}) => {
  const { port } = await redisServer()
  const refused = new Redis({ port, username: 'nobody', password: 'wrong' })
  const works = new Redis({ port })
  cleanup(() => [refused, works].forEach((connection) => connection.disconnect()))
  await Promise.all([once(refused, 'error'), once(works, 'ready')])
  const activeConnections = { refused: { ioConnection: refused }, works: { ioConnection: works } }
  await leaveRedis({ container: { make: async () => ({ activeConnections }) } } as never)
  await waitFor('the refused one to end', () => refused.status === 'end')
  assert.equal(works.status, 'ready')
})
