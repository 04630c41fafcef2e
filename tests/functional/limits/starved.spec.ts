import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { DispatchOptions, JobOptions, QueuedeckConfig } from '../../../src/types.ts'
import type { WorkerSettings } from '../../../src/worker/worker_pool.ts'
import { redisServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../worker/lab.ts'

/** Runs until it is let go by its name. */
class Held extends Job<{ name: string }, void> {
  static options: JobOptions = { name: 'held', queue: 'c' }
  static gates = new Map<string, PromiseWithResolvers<void>>()
  static started = new Set<string>()
  async execute() {
    Held.started.add(this.payload.name)
    await Held.gates.get(this.payload.name)!.promise
  }
}

/** Less than a blocking wait of an idle worker, after which it looks by itself, ms. */
const SOON = 1_500

test.group('A slot that gets free while several queues are starved', (group) => {
  let lab: WorkerLab
  group.each.setup(() => {
    Held.gates.clear()
    Held.started.clear()
    return () => lab.close()
  })

  const open = async (limits: QueuedeckConfig['limits'], ...pools: WorkerSettings[]) => {
    const { url } = await redisServer()
    lab = new WorkerLab(url, [Held], {}, undefined, {}, { user: null, ...limits })
    const started = []
    for (const settings of pools) started.push(await lab.start(settings))
    return started
  }
  const everywhere = { queues: ['a', 'b', 'c'], concurrency: 20 }
  const dispatch = (name: string, options: DispatchOptions = {}) => {
    Held.gates.set(name, Promise.withResolvers())
    return lab.dispatch(Held, { name }, { queue: name.replace(/\d$/, ''), ...options })
  }
  const running = async (name: string, options?: DispatchOptions) => {
    await dispatch(name, options)
    await waitFor(`${name} to run`, () => Held.started.has(name))
  }
  const prefixOf = (queue: string) => lab.transport.keys.queue(queue)
  const starvedKey = () => `${lab.prefix}~gate:starved`
  /** For a millisecond at least, by which the turns go. */
  const isStarved = (queue: string) =>
    waitFor(`${queue} to be starved`, async () => {
      const since = await lab.redis.zscore(starvedKey(), prefixOf(queue))
      return since !== null && (await lab.transport.time()) > Number(since)
    })
  const starving = async (name: string, options?: DispatchOptions) => {
    const id = await dispatch(name, options)
    await isStarved(name.replace(/\d$/, ''))
    return id
  }
  /** Of `a` more jobs wait than one, of which the first runs: it is starved since it took the last slot. */
  const backlog = async () => {
    await lab.transport.queueControl.pause('a')
    for (const name of ['a0', 'a1', 'a2']) await dispatch(name)
    await lab.transport.queueControl.resume('a')
    await waitFor('a0 to run', () => Held.started.has('a0'))
    await isStarved('a')
  }
  /** How long b1 waits after the slot of c1 has got free, ms. */
  const waited = async () => {
    const freed = stopwatch()
    Held.gates.get('c1')!.resolve()
    await waitFor('b1 to run', () => Held.started.has('b1'))
    return freed()
  }

  test('is not kept for one that has been paused', async ({ assert }) => {
    await open({ global: 1 }, everywhere)
    await running('c1')
    await starving('a1')
    await starving('b1')
    await lab.transport.queueControl.pause('a')
    assert.isBelow(await waited(), SOON)
  })

  test('is not kept for one whose only job has been cancelled', async ({ assert }) => {
    await open({ global: 1 }, everywhere)
    await running('c1')
    const id = await starving('a1')
    await starving('b1')
    await lab.transport.cancel('a', id, { by: 'ops', reason: 'a test' })
    assert.isBelow(await waited(), SOON)
  })

  test('is not kept for one that has only jobs of a user who has no room', async ({ assert }) => {
    await open({ global: 2, user: 1 }, everywhere)
    await running('c1', { user: 'ann' })
    await running('c2', { user: 'ben' })
    await starving('a1', { user: 'ben' })
    await starving('b1', { user: 'cem' })
    assert.isBelow(await waited(), SOON)
    assert.isFalse(Held.started.has('a1'))
  })

  test('is not kept for one that is full by its own limit', async ({ assert }) => {
    await open({ global: 2, queues: { a: 1 } }, everywhere)
    await running('c1')
    await backlog()
    await starving('b1')
    assert.isBelow(await waited(), SOON)
    assert.isFalse(Held.started.has('a1'))
  })

  test('is not kept for one whose workers are busy', async ({ assert }) => {
    const [elsewhere, here] = [{ queues: ['a'], concurrency: 1 }, { queues: ['b', 'c'] }]
    await open({ global: 2 }, elsewhere, { ...here, concurrency: 10 })
    await running('c1')
    await backlog()
    await starving('b1')
    assert.isBelow(await waited(), SOON)
  })

  test('is not kept for one whose workers are gone', async ({ assert }) => {
    const [elsewhere, here] = [{ queues: ['a'] }, { queues: ['b', 'c'] }]
    const [gone] = await open({ global: 1 }, elsewhere, here)
    await running('c1')
    await starving('a1')
    await starving('b1')
    gone.drain()
    await gone.ended
    assert.isBelow(await waited(), SOON)
  })

  test('is not kept for several whose common worker is gone, by one that goes too', async ({
    assert,
  }) => {
    const pools = [['a', 'd'], ['b'], ['c']].map((queues) => ({ queues }))
    const [gone, , going] = await open({ global: 1 }, ...pools)
    await running('c1')
    for (const name of ['a1', 'd1', 'b1']) await starving(name)
    gone.drain()
    await gone.ended
    going.drain()
    assert.isBelow(await waited(), SOON)
  })

  test('reaches one behind more paused ones than one call looks at', async ({ assert }) => {
    await open({ global: 1 }, everywhere)
    await running('c1')
    for (let at = 0; at < 50; at++) {
      await lab.redis.hset(`${prefixOf(`p${at}`)}meta`, 'paused', 1)
      await lab.redis.zadd(starvedKey(), at, prefixOf(`p${at}`))
    }
    await starving('b1')
    assert.isBelow(await waited(), SOON)
  })

  test('goes to the one that has starved longest', async ({ assert }) => {
    await open({ global: 1 }, everywhere)
    await running('c1')
    await starving('b1')
    await starving('a1')
    await dispatch('c2')
    await waited()
    assert.deepEqual([...Held.started], ['c1', 'b1'])
    assert.equal(await lab.redis.llen(`${prefixOf('a')}wait`), 1)
  })
})
