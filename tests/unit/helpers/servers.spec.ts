import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { Redis } from 'ioredis'
import { ROOT, spawnNode } from '#tests/helpers/app'
import { eachDatabase } from '#tests/helpers/databases'
import { cutLog, logSize } from '#tests/helpers/redis_log'
import { redisServer } from '#tests/helpers/servers'
import { isAlive, isListening, waitFor } from '#tests/helpers/wait'

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

  test('a log of a Redis is cut in front of the write that the cut lies in, for all later starts', async ({
    assert,
  }) => {
    const server = await redisServer({ own: true, appendOnly: true })
    const { directory } = server
    const redis = new Redis(server.port, { maxRetriesPerRequest: null })
    redis.on('error', () => {})
    const startAgain = async (take?: () => Promise<void>) => {
      await server.kill()
      await take?.()
      await server.start()
    }
    try {
      await redis.set('before', 1)
      const from = await logSize(directory)
      await redis.set('kept', 1)
      const whole = await logSize(directory)
      await redis.multi().set('half done', 1).set('half written', 1).exec()
      /** The last 14 letters end the transaction: those before them are the last command's. */
      const kept = 1 - 16 / ((await logSize(directory)) - from)
      await startAgain(() => cutLog(directory, from, kept))
      assert.equal(await logSize(directory), whole)
      assert.deepEqual(await redis.mget('before', 'kept', 'half done'), ['1', '1', null])

      await redis.multi().set('later', 1).set('latest', 1).exec()
      await startAgain()
      const names = ['before', 'kept', 'half done', 'half written', 'later', 'latest']
      assert.deepEqual(await redis.mget(names), ['1', '1', null, null, '1', '1'])

      const end = await logSize(directory)
      await redis.set('cut', 'x'.repeat(100))
      await startAgain(() => cutLog(directory, end, 0.5))
      await redis.set('uncut', 1)
      await startAgain(() => cutLog(directory, end, 1))
      assert.deepEqual(await redis.mget('latest', 'cut', 'uncut'), ['1', null, '1'])
    } finally {
      redis.disconnect()
      await server.stop()
    }
  })

  test('no port is given to two processes, nor to one twice', async ({ assert }) => {
    const module = fileURLToPath(new URL('tests/helpers/ports.ts', ROOT))
    const script = `
      const { freePort } = await import(${JSON.stringify(module)})
      console.log(JSON.stringify(await Promise.all(Array.from({ length: 120 }, freePort))))
      process.stdin.resume()`
    const args = ['--import=./bin/typescript.js', '--input-type=module', '--eval', script]
    const asked = [1, 2, 3].map(() => spawnNode(args, {}, { stdin: 'pipe' }))
    const given = await Promise.all(
      asked.map(async (child) => {
        await waitFor('its ports', () => child.stdout().endsWith('\n'))
        return JSON.parse(child.stdout()) as number[]
      })
    )
    const ports = given.flat()
    assert.lengthOf(new Set(ports), 360)
    assert.isTrue(ports.every((port) => port > 10_000 && port < 32_000))
    assert.isFalse((await Promise.all(ports.map((port) => isListening(port)))).some(Boolean))
    asked.forEach((child) => child.child.stdin!.end())
    await Promise.all(asked.map((child) => child.exited))
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
