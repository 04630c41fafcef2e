import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { Redis } from 'ioredis'
import { ROOT, spawnNode } from '#tests/helpers/app'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { isAlive, waitFor } from '#tests/helpers/wait'

test.group('Test servers', () => {
  test('a Redis of a test keeps its data when it is ended and started again', async ({
    assert,
  }) => {
    const server = await redisServer({ own: true, appendOnly: true })
    const redis = new Redis(server.port, { maxRetriesPerRequest: null })
    redis.on('error', () => {})
    try {
      await redis.set('kept', 'yes')
      await server.halt()
      await server.start()
      assert.equal(await redis.get('kept'), 'yes')
    } finally {
      redis.disconnect()
      await server.stop()
    }
    assert.isFalse(existsSync(server.directory))
  })

  test('a server does not outlive a test process that was killed', async ({ assert }) => {
    const module = fileURLToPath(new URL('tests/helpers/servers.ts', ROOT))
    const script = `
      const { redisServer } = await import(${JSON.stringify(module)})
      const server = await redisServer({ own: true })
      console.log(JSON.stringify({ pid: server.pid, directory: server.directory }))
      setInterval(() => {}, 1000)`
    const child = spawnNode(
      ['--import=./bin/typescript.js', '--input-type=module', '--eval', script],
      {}
    )
    const { pid, directory } = await waitFor('the server of the child', () =>
      JSON.parse(child.stdout())
    )
    await child.stop('SIGKILL')
    await waitFor('the server to be gone', async () => !(await isAlive(pid)))
    await waitFor('its folder to be gone', () => !existsSync(directory))
    assert.isTrue(true)
  })
})

eachDatabase(({ kind, label, create }) => {
  test(`makes an empty database on ${label}`, async ({ assert }) => {
    const database = await create()
    assert.equal(database.kind, kind)
    assert.equal(database.env.DB_CONNECTION, kind)
    await database.drop()
  })
})
