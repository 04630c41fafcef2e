import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import type { WorkerPool } from '../../../src/worker/worker_pool.ts'
import { redisServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

class Echo extends Job<object, void> {
  static options: JobOptions = { name: 'echo', queue: 'q' }
  async execute() {}
}

/** Less than a blocking wait of an idle worker, after which it looks by itself, ms. */
const ONE_WAIT = 3_000

test.group('A worker that stops while it waits for jobs', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    const { url } = await redisServer({ own: true })
    lab = new WorkerLab(url, [Echo])
    return () => lab.close()
  })

  const key = (name: string) => `${lab.transport.keys.queue('q')}${name}`
  const untilHeard = () =>
    waitFor('the marker to be taken', async () => (await lab.redis.exists(key('marker'))) === 0)

  /** Two workers that wait. Redis gives a marker to the first of them, which has waited longer. */
  const idle = async () => {
    const pools: WorkerPool[] = []
    for (const waiting of [1, 2]) {
      pools.push(await lab.start({ queues: ['q'], concurrency: 1 }))
      await waitFor('the worker to wait', async () => {
        const clients = String(await lab.redis.client('LIST'))
        return clients.split('cmd=bzpopmin').length - 1 === waiting
      })
    }
    return pools[0]
  }

  test('tells another of the job whose marker it has taken with it', async ({ assert }) => {
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

  test('tells another when the next delayed job is due', async ({ assert }) => {
    const first = await idle()
    const dispatched = stopwatch()
    const id = await lab.dispatch(Echo, {}, { delay: 1_000 })
    await untilHeard()
    first.drain()
    assert.equal((await lab.ended(id, 'q')).state, 'completed')
    assert.equal((await first.ended).jobs, 0)
    assert.isBelow(dispatched(), ONE_WAIT)
  })
})
