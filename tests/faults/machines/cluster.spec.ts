import { test } from '@japa/runner'
import { FlowKeeper } from '../../../src/jobs/flow_keeper.ts'
import { hostClient, keysLike } from '#tests/helpers/redis_address'
import { nodeClient, redisCluster, replicated, replicationOf } from '#tests/helpers/redis_groups'
import { waitFor } from '#tests/helpers/wait'
import { ran, Step } from '../../functional/flows/jobs.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { Fleet } from '../fleet/fleet.ts'
import { CLEAN } from '../fleet/verdict.ts'
import { throughThePages } from './through_the_pages.ts'

type Cluster = Awaited<ReturnType<typeof redisCluster>>

/** A prefix whose keys another primary holds than the one that has a replica. */
async function elsewhere({ primary }: Cluster): Promise<string> {
  const node = nodeClient(primary.port)
  try {
    for (let at = 0; ; at++) {
      const prefix = `{fleet${at}}`
      /** For keys of others a node only says where they are. */
      const answer = await node.exists(prefix).catch((error: Error) => error.message)
      if (String(answer).startsWith('MOVED')) return prefix
    }
  } finally {
    node.disconnect()
  }
}

test.group('Redis Cluster', (group) => {
  let cluster: Cluster
  let starting: Promise<Fleet>
  group.setup(async () => {
    /** A replica for the primary that holds these keys. */
    cluster = await redisCluster({ replicaOf: '{cluster}' })
    starting = elsewhere(cluster).then((prefix) =>
      Fleet.begin(cluster.address, { places: [{}, {}], prefix })
    )
    starting.catch(() => {})
    return async () => {
      await starting.then(
        (fleet) => fleet.close(),
        () => {}
      )
      await cluster.stop()
    }
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
  })

  test('has jobs wait for each other over several queues', async ({ assert, cleanup }) => {
    const lab = new WorkerLab(cluster.address, [Step], {}, '{flows}')
    const awaited = { ends: async (places: object[]) => places.map(() => 'missing' as const) }
    const { transport } = lab
    const keeper = new FlowKeeper({ transport, awaited, logger: { debug() {} } })
    cleanup(async () => {
      await keeper.stop()
      await lab.close()
    })
    keeper.start()
    /** Brings the functions to all three primaries, which may take as long as a dispatch waits. */
    await lab.dispatch(Step, { name: 'first' }, { queue: 'three' })
    const step = (name: string, queue: string) => Step.dispatch({ name }).toQueue(queue)
    const fan = Array.from({ length: 250 }, (_, n) => step(`fan ${n}`, n % 2 ? 'one' : 'two'))
    const flow = await lab.manager.chain([step('root', 'one'), fan, step('end', 'two')])
    await lab.start({ queues: ['one', 'two'], concurrency: 10 })
    assert.equal((await lab.ended(flow.last[0].jobId, 'two')).state, 'completed')
    const names = ran.filter((name) => name === 'root' || name === 'end')
    assert.deepEqual([ran[0], ran.at(-1), names.length, ran.length], ['root', 'end', 2, 252])
    const client = hostClient(cluster.address)
    cleanup(() => client.disconnect())
    await waitFor(
      'nothing to be left of the flow',
      async () => (await keysLike(client, '{flows}~flow:*')).length === 0
    )
  })

  test('follows its keys when their slot moves to another node', async ({ assert }) => {
    const fleet = await starting
    const nodes = cluster.nodes.slice(0, 3).map(({ port }) => nodeClient(port))
    try {
      const slot = Number(await nodes[0].cluster('KEYSLOT', fleet.lab.prefix))
      const source = nodes[Math.floor((slot * 3) / 16_384)]
      const target = nodes.find(({ options }) => options.port === cluster.primary.port)!
      const ids = await Promise.all(
        [source, target].map(async (node) => String(await node.call('CLUSTER', 'MYID')))
      )
      assert.notEqual(ids[0], ids[1])
      await fleet.dispatch(150, 40)
      await waitFor('some to run', async () => (await fleet.ended()) > 20)

      await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0])
      await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1])
      for (;;) {
        const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 500)) as string[]
        if (keys.length === 0) break
        const to = ['127.0.0.1', target.options.port!, '', 0, 5_000, 'KEYS', ...keys]
        await source.call('MIGRATE', ...to)
      }
      for (const node of [target, source])
        await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[1])

      await fleet.settled(30_000)
      assert.deepEqual(await fleet.verdict(), CLEAN)
      assert.isAbove((await target.keys(`${fleet.lab.prefix}*`)).length, 0)
    } finally {
      nodes.forEach((one) => one.disconnect())
    }
  })

  test('goes on by itself when the primary that holds the jobs dies and its replica takes over', async ({
    assert,
  }) => {
    const fleet = await starting
    const before = await fleet.ended()
    await fleet.dispatch(150, 40)
    await waitFor('some to run', async () => (await fleet.ended()) > before + 20)
    await replicated(cluster.primary)
    await cluster.primary.kill()
    const died = performance.now()
    await waitFor('a dispatch', () => fleet.dispatch(20, 40))
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
  })
})
