import { test } from '@japa/runner'
import { hostClient } from '#tests/helpers/redis_address'
import { nodeClient, redisCluster, replicated, replicationOf } from '#tests/helpers/redis_groups'
import { waitFor } from '#tests/helpers/wait'
import { Fleet } from '../fleet/fleet.ts'
import { CLEAN } from '../fleet/verdict.ts'
import { throughThePages } from './through_the_pages.ts'

type Cluster = Awaited<ReturnType<typeof redisCluster>>

test.group('Redis Cluster', (group) => {
  let cluster: Cluster
  group.setup(async () => {
    /** A replica for the primary that holds our keys. */
    cluster = await redisCluster({ replicaOf: '{cluster}' })
    return () => cluster.stop()
  })

  test('takes jobs, limits, cancels, restarts, pages, live changes and cleanup', async ({
    assert,
  }) => {
    await throughThePages(assert, JSON.parse(cluster.address), '{cluster}')
    const client = hostClient(cluster.address)
    const primaries = cluster.nodes.slice(0, 3).map(({ port }) => nodeClient(port))
    try {
      assert.equal(await client.exists('{cluster}~queues'), 1)
      const counts = await Promise.all(
        primaries.map(async (node) => (await node.keys('{cluster}*')).length > 0)
      )
      assert.lengthOf(
        counts.filter((holds) => holds),
        1,
        'all keys in one slot'
      )
      for (const node of primaries) {
        const libraries = (await node.call('FUNCTION', 'LIST')) as string[][]
        assert.isTrue(
          libraries.some(([, name]) => name.startsWith('queuedeck_')),
          `the library on ${node.options.port}`
        )
      }
    } finally {
      ;[client, ...primaries].forEach((one) => one.disconnect())
    }
  }).timeout(60_000)

  test('follows its keys when their slot moves to another node', async ({ assert }) => {
    const fleet = await Fleet.begin(cluster.address, { places: [{}] })
    const nodes = cluster.nodes.slice(0, 3).map(({ port }) => nodeClient(port))
    try {
      const slot = Number(await nodes[0].cluster('KEYSLOT', fleet.lab.prefix))
      const from = Math.floor((slot * 3) / 16_384)
      const to = (from + 1) % 3
      const [source, target] = [nodes[from], nodes[to]]
      const ids = await Promise.all(
        [source, target].map(async (node) => String(await node.call('CLUSTER', 'MYID')))
      )
      await fleet.dispatch(150, 40)
      await waitFor('some to run', async () => (await fleet.ended()) > 20)

      await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0])
      await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1])
      for (;;) {
        const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 500)) as string[]
        if (keys.length === 0) break
        await source.call(
          'MIGRATE',
          '127.0.0.1',
          target.options.port!,
          '',
          0,
          5_000,
          'KEYS',
          ...keys
        )
      }
      for (const node of [target, source])
        await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[1])

      await fleet.settled(30_000)
      assert.deepEqual(await fleet.verdict(), CLEAN)
      assert.isAbove((await target.keys(`${fleet.lab.prefix}*`)).length, 0)
    } finally {
      nodes.forEach((one) => one.disconnect())
      await fleet.close()
    }
  }).timeout(60_000)

  test('goes on by itself when the primary that holds the jobs dies and its replica takes over', async ({
    assert,
  }) => {
    const fleet = await Fleet.begin(cluster.address, { places: [{}, {}], prefix: '{cluster}over' })
    try {
      await fleet.dispatch(150, 40)
      await waitFor('some to run', async () => (await fleet.ended()) > 20)
      await replicated(cluster.primary)
      await cluster.primary.kill()
      const died = performance.now()
      await waitFor('a dispatch', () => fleet.dispatch(20, 40), { within: 20_000 })
      const took = performance.now() - died
      assert.include(await replicationOf(cluster.replica!), 'role:master')
      await fleet.settled(30_000)
      const verdict = await fleet.verdict()
      console.log(
        `    dispatched again ${Math.round(took)} ms after the primary died; ${verdict.finishedTwice.length} finished twice`
      )
      assert.deepEqual(verdict, CLEAN)
      for (const worker of fleet.workers) {
        assert.equal((await worker.stop()).code, 0)
        assert.notInclude(worker.output(), 'unhandled')
      }
    } finally {
      await fleet.close()
    }
  }).timeout(90_000)
})
