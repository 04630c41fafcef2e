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

/** Runs until it is let go. */
class Held extends Job<object, void> {
  static options: JobOptions = { name: 'held', queue: 'q' }
  static gate = Promise.withResolvers<void>()
  async execute() {
    await Held.gate.promise
  }
}

class Hooked extends Job<object, void> {
  static options: JobOptions = { name: 'hooked', queue: 'q' }
  async execute() {
    await Held.gate.promise
    throw new Error('planned')
  }
  async failed() {}
}

/** Less than a blocking wait of an idle worker, after which it looks by itself, ms. */
const ONE_WAIT = 3_000

test.group('A queue with a limit', (group) => {
  let lab: WorkerLab
  let marker: string
  group.each.setup(async () => {
    Held.gate = Promise.withResolvers()
    const { url } = await redisServer()
    lab = new WorkerLab(url, [Echo, Held, Hooked], {}, undefined, {}, { queues: { q: 1 } })
    marker = `${lab.transport.keys.queue('q')}marker`
    return () => lab.close()
  })

  /** A worker that has looked at the queue and waits. */
  const idle = async () => {
    await lab.start({ queues: ['q'], concurrency: 2 })
    await untilHeard()
  }
  const untilHeard = () =>
    waitFor('the marker to be taken', async () => (await lab.redis.exists(marker)) === 0)

  test('goes on after each job that has a failed() to be called', async ({ assert }) => {
    await idle()
    const ids: string[] = []
    for (let n = 0; n < 4; n++) ids.push(await lab.dispatch(Hooked))
    await lab.running(ids[0], 'q')
    await untilHeard()
    const freed = stopwatch()
    Held.gate.resolve()
    for (const id of ids) assert.equal((await lab.ended(id, 'q')).state, 'failed')
    assert.isBelow(freed(), ONE_WAIT)
  })

  test('is told to others by a worker that is drained and ends its job', async ({ assert }) => {
    const pool = await lab.start({ queues: ['q'], concurrency: 1 })
    await lab.running(await lab.dispatch(Held), 'q')
    /** Another worker looks, and finds it full. */
    await lab.redis.del(marker)
    await lab.dispatch(Echo)
    assert.equal(await lab.redis.exists(marker), 0)
    pool.drain()
    Held.gate.resolve()
    assert.isTrue((await pool.ended).clean)
    assert.equal(await lab.redis.exists(marker), 1)
  })

  test('starts on time what was delayed while it was full', async ({ assert }) => {
    await idle()
    await lab.running(await lab.dispatch(Held), 'q')
    const dispatched = stopwatch()
    const id = await lab.dispatch(Echo, {}, { delay: 500 })
    await untilHeard()
    Held.gate.resolve()
    assert.equal((await lab.ended(id, 'q')).state, 'completed')
    assert.isBelow(dispatched(), ONE_WAIT)
  })

  test('goes on when what only seemed to run there is swept away', async ({ assert }) => {
    await lab.redis.lpush(`${lab.transport.keys.queue('q')}active`, 'ghost')
    await idle()
    const id = await lab.dispatch(Echo)
    const swept = stopwatch()
    await lab.transport.audit.sweepOrphans('q', 1_000, false, lab.redis as never)
    assert.equal((await lab.ended(id, 'q')).state, 'completed')
    assert.isBelow(swept(), ONE_WAIT)
  })
})
