import { setTimeout as pause } from 'node:timers/promises'
import { createServer, type Server } from 'node:net'
import { test } from '@japa/runner'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { Connections } from '../../../src/transport/connections.ts'
import { reasonOf } from '../../../src/transport/outage.ts'
import { freePort } from '#tests/helpers/ports'
import { redisServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'

/** Connections to wherever, closed after the test. */
function connections(options: RedisOptions, cleanup: (close: () => Promise<void>) => void) {
  const host = new Redis({ ...options, lazyConnect: true })
  const ours = new Connections(() => ({ ioConnection: host }) as never)
  cleanup(async () => {
    await ours.closeAll()
    host.disconnect()
  })
  return ours
}

/** How a command on the producer's connection fails, and after how many ms. */
async function failure(ours: Connections) {
  const began = performance.now()
  const asked = stopwatch()
  const error = await ours
    .produce('the job was not dispatched', (client) => client.ping())
    .then(() => undefined)
    .catch((thrown: Error & { code?: string }) => thrown)
  return {
    code: error?.code,
    message: error?.message ?? '',
    took: asked(),
    passed: performance.now() - began,
  }
}

test.group('Connections of producers', () => {
  /** All of it is waiting, hence at once. */
  test('fail in time, saying why: within about a second when refused, and when nothing answers within 5', async ({
    assert,
    cleanup,
  }) => {
    const silent: Server = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    cleanup(() => void silent.close())

    const refused = async (options: RedisOptions, reason: RegExp) => {
      const ours = connections({ port: await freePort(), ...options }, cleanup)
      for (let call = 0; call < 2; call++) {
        const { code, message, took } = await failure(ours)
        assert.equal(code, 'E_REDIS_UNAVAILABLE')
        assert.match(message, reason)
        assert.match(message, /the job was not dispatched/)
        assert.isBelow(took, 3_500)
      }
      assert.isNumber(ours.outage.since)
    }
    const unanswered = async () => {
      const { code, message, took, passed } = await failure(connections({ port }, cleanup))
      assert.equal(code, 'E_REDIS_UNAVAILABLE')
      assert.match(message, /accepts the connection but does not answer/)
      assert.isAbove(passed, 4_000)
      assert.isBelow(took, 6_000)
    }
    await Promise.all([
      refused({}, /the connection is refused .*ECONNREFUSED/),
      refused({ host: 'redis.invalid' }, /its host is not known .*redis\.invalid/),
      refused({ path: '/nowhere/redis.sock' }, /its socket is not there/),
      unanswered(),
    ])
  })

  test('ride out a restart of less than a second', async ({ assert, cleanup }) => {
    const server = await redisServer({ own: true })
    const ours = connections({ port: server.port }, cleanup)
    cleanup(() => server.stop())
    assert.equal(await ours.produce('x', (client) => client.ping()), 'PONG')
    await server.halt()
    const again = ours.produce('x', (client) => client.ping())
    const restarted = pause(400).then(() => server.start())
    assert.equal(await again, 'PONG')
    await restarted
    assert.isNull(ours.outage.since)
  })

  test('tell at once when the connection breaks under a command, and take the next one', async ({
    assert,
    cleanup,
  }) => {
    const { port } = await redisServer()
    const ours = connections({ port }, cleanup)
    const other = new Redis({ port })
    cleanup(() => other.disconnect())
    const id = await ours.produce('nothing', (client) => client.client('ID'))
    const asked = stopwatch()
    const waiting = ours
      .produce('the job was not dispatched', (client) => client.blpop('queuedeck:nothing', 0))
      .catch((error: Error) => error.message)
    await pause(100)
    await other.client('KILL', 'ID', id)
    assert.equal(
      await waiting,
      'Redis cannot be reached, so it is not known whether the job was dispatched: the connection broke before the answer came'
    )
    assert.isBelow(asked(), 3_000)
    assert.equal(await ours.produce('nothing', (client) => client.ping()), 'PONG')
  })

  test('say nothing of an outage when one of them is closed on purpose', async ({
    assert,
    cleanup,
  }) => {
    const { port } = await redisServer()
    const ours = connections({ port }, cleanup)
    assert.equal(await ours.produce('x', (client) => client.ping()), 'PONG')
    for (const role of ['mirror', 'worker'] as const) {
      const own = ours.open(role)
      assert.equal(await own.ping(), 'PONG')
      const closed = new Promise((resolve) => own.once('end', resolve))
      await ours.close(own)
      await closed
    }
    assert.isNull(ours.outage.since)
  })

  test('notice soon that a server which was away for long is back', async ({ assert, cleanup }) => {
    const server = await redisServer({ own: true })
    const ours = connections({ port: server.port }, cleanup)
    cleanup(() => server.stop())
    await server.halt()
    for (let call = 0; call < 5; call++)
      assert.equal((await failure(ours)).code !== undefined, true)
    await server.start()
    const asked = stopwatch()
    assert.equal(await ours.produce('x', (client) => client.ping()), 'PONG')
    assert.isBelow(asked(), 1_000)
  })
})

test.group('Reasons of failures', () => {
  test('tell what may have been executed, and what a cluster met', ({ assert }) => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
      code: 'ECONNREFUSED',
    })
    assert.deepInclude(reasonOf(refused), { sent: false, refused: true })
    const cluster = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: refused,
    })
    assert.deepEqual(reasonOf(cluster), reasonOf(refused))
    assert.deepInclude(reasonOf(new Error('Connection is closed.')), { sent: true, refused: false })
    assert.deepInclude(reasonOf(new Error('LOADING Redis is loading the dataset in memory')), {
      sent: false,
      refused: false,
    })
    assert.isNull(reasonOf(new Error('ERR unknown command')))
  })
})

test.group('Settings of the host that are not for ours', () => {
  test('end no blocking wait, keep commands until they can be sent, and leave numbers numbers', async ({
    assert,
    cleanup,
  }) => {
    const { port } = await redisServer()
    const ours = connections(
      {
        ...{ port, commandTimeout: 100, socketTimeout: 100, enableOfflineQueue: false },
        stringNumbers: true,
      },
      cleanup
    )
    const client = ours.open('worker')
    assert.isNull(await client.blpop('nobody:pushes', 0.4))
    assert.strictEqual(await client.exists('nobody:pushes'), 0)
  })

  test('send no read of ours to a replica of a cluster', ({ assert, cleanup }) => {
    const host = new Cluster([], { lazyConnect: true, scaleReads: 'slave' })
    const ours = new Connections(() => ({ ioConnection: host }) as never)
    cleanup(() => ours.closeAll())
    const { options } = ours.open('mirror') as unknown as { options: { scaleReads: string } }
    assert.equal(options.scaleReads, 'master')
  })
})
