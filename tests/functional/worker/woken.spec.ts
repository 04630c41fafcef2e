import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import { redisServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

class Echo extends Job<object, void> {
  static options: JobOptions = { name: 'echo', queue: 'q' }
  async execute() {}
}

/** Keeps its slot until it is told to stop. */
class Held extends Job<object, void> {
  static options: JobOptions = { name: 'held', queue: 'other' }
  async execute() {
    await pause(60_000, undefined, { signal: this.signal })
  }
}

/** Less than a blocking wait of an idle worker, after which it looks by itself, ms. */
const ONE_WAIT = 3_000

test.group('What a marker has told only one worker', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    const { url } = await redisServer({ own: true })
    lab = new WorkerLab(url, [Echo, Held])
    return () => lab.close()
  })

  const key = (name: string) => `${lab.transport.keys.queue('q')}${name}`
  const untilHeard = () =>
    waitFor('the marker to be taken', async () => (await lab.redis.exists(key('marker'))) === 0)

  /** Until so many connections wait: one for each queue of each worker. */
  const untilIdle = (waiting: number) =>
    waitFor('the workers to wait', async () => {
      const clients = String(await lab.redis.client('LIST')).split('\n')
      const blocked = clients.filter((client) => / flags=\S*b.* cmd=bzpopmin /.test(client))
      return blocked.length === waiting
    })

  /** Two workers that wait. Redis gives a marker to the first of them, which has waited longer. */
  const idle = async (...others: string[]) => {
    const first = await lab.start({ queues: ['q', ...others], concurrency: 1 })
    await untilIdle(1 + others.length)
    await lab.start({ queues: ['q'], concurrency: 1 })
    await untilIdle(2 + others.length)
    return first
  }

  test('is told to another when it stops: a job', async ({ assert }) => {
    const id = await lab.dispatch(Echo, {}, { delay: '1h' })
    const first = await idle()
    const told = lab.redis
      .multi()
      .zrem(key('delayed'), id)
      .rpush(key('wait'), id)
      .zadd(key('marker'), 0, '0')
      .exec()
    const stopped = stopwatch()
    first.drain()
    await told
    assert.equal((await lab.ended(id, 'q')).state, 'completed')
    assert.equal((await first.ended).jobs, 0)
    assert.isBelow(stopped(), ONE_WAIT)
  })

  test('is told to another when it stops: when the next delayed job is due', async ({ assert }) => {
    const first = await idle()
    const dispatched = stopwatch()
    const id = await lab.dispatch(Echo, {}, { delay: 1_000 })
    await untilHeard()
    first.drain()
    assert.equal((await lab.ended(id, 'q')).state, 'completed')
    assert.equal((await first.ended).jobs, 0)
    assert.isBelow(dispatched(), ONE_WAIT)
  })

  test('is told to another when a delayed job is due, and its own slot is taken', async ({
    assert,
  }) => {
    await idle('other')
    const dispatched = stopwatch()
    const id = await lab.dispatch(Echo, {}, { delay: 1_000 })
    await untilHeard()
    await untilIdle(3)
    await lab.running(await lab.dispatch(Held), 'other')
    assert.equal((await lab.ended(id, 'q')).state, 'completed')
    assert.isBelow(dispatched(), ONE_WAIT)
  })

  test('is told to another when a delayed job is due, and it was asked to take no more jobs', async ({
    assert,
  }) => {
    const first = await idle()
    const dispatched = stopwatch()
    const id = await lab.dispatch(Echo, {}, { delay: 1_000 })
    await untilHeard()
    await lab.transport.workers.ask(first.id, 'quiet')
    assert.equal((await lab.ended(id, 'q')).state, 'completed')
    assert.isBelow(dispatched(), ONE_WAIT)
    first.drain()
    assert.equal((await first.ended).jobs, 0)
  })

  test('does not go round among queues that share one slot', async ({ assert }) => {
    const queues = [...'abcdefghij']
    await lab.start({ queues, concurrency: 1 })
    await untilIdle(queues.length)
    await Promise.all(queues.map((queue) => lab.dispatch(Echo, {}, { queue, delay: '1h' })))
    const id = await lab.dispatch(Echo, {}, { queue: 'a', delay: 1_000 })
    await lab.ended(id, 'a')
    const [, waits] = /cmdstat_bzpopmin:calls=(\d+)/.exec(await lab.redis.info('commandstats'))!
    assert.isBelow(Number(waits), 10 * queues.length)
  })
})
