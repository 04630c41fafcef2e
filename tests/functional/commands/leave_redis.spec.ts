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
  const wrong = { port, username: 'nobody', password: 'wrong' }
  const refused = new Redis({ ...wrong, retryStrategy: () => 0 })
  const pausing = new Redis({ ...wrong, retryStrategy: () => 3_600_000 })
  const works = new Redis({ port })
  const all = { refused, pausing, works }
  cleanup(() => Object.values(all).forEach((connection) => connection.disconnect()))
  for (const connection of [refused, pausing]) connection.on('error', () => {})
  const asked = assert.rejects(() => pausing.ping())
  await Promise.all([once(refused, 'error'), once(works, 'ready')])
  await waitFor('a pause between attempts', () => pausing.status === 'reconnecting')

  const activeConnections = Object.fromEntries(
    Object.entries(all).map(([name, ioConnection]) => [name, { ioConnection }])
  )
  await leaveRedis({ container: { make: async () => ({ activeConnections }) } } as never)
  await waitFor('the refused ones to end', () => {
    return [refused, pausing].every(({ status }) => status === 'end')
  })
  await asked
  assert.equal(works.status, 'ready')
})
