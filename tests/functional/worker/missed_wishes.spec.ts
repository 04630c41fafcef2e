import { test } from '@japa/runner'
import type { WorkerView } from '../../../src/types.ts'
import { redisServer } from '#tests/helpers/servers'
import { stopwatch } from '#tests/helpers/stopwatch'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

/** Less than the 10 s after which each worker reports anyway, ms. */
const SOON = 8_000

test.group('A worker that is asked something while it does not listen', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    lab = new WorkerLab((await redisServer({ own: true })).url)
    return () => lab.close()
  })

  const reports = async (id: string, state: WorkerView['state']) => {
    const asked = stopwatch()
    await waitFor(`the worker to report that it is ${state}`, async () => {
      const workers = await lab.transport.workers.list()
      return workers.find((worker) => worker.id === id)?.report?.state === state
    })
    return asked()
  }

  test('obeys once it listens for the first time', async ({ assert, cleanup }) => {
    const { control } = lab.transport
    const subscribe = control.subscribe.bind(control)
    const listens = Promise.withResolvers<void>()
    cleanup(() => listens.resolve())
    control.subscribe = async (...args) => {
      await listens.promise
      return subscribe(...args)
    }
    const { id } = await lab.start({ queues: ['q'] })
    await reports(id, 'active')
    assert.isTrue(await lab.transport.workers.ask(id, 'quiet'))
    listens.resolve()
    assert.isBelow(await reports(id, 'quiet'), SOON)
  })

  test('obeys once it listens again', async ({ assert }) => {
    const { id } = await lab.start({ queues: ['q'] })
    await reports(id, 'active')
    await lab.listens()
    await lab.redis.client('KILL', 'TYPE', 'pubsub')
    assert.isTrue(await lab.transport.workers.ask(id, 'quiet'))
    assert.isBelow(await reports(id, 'quiet'), SOON)
  })

  test('listens no more when it has ended before it could', async ({ assert }) => {
    const { control } = lab.transport
    const subscribe = control.subscribe.bind(control)
    const listens = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    control.subscribe = async (...args) => {
      await listens.promise
      const unsubscribe = await subscribe(...args)
      return () => {
        unsubscribe()
        ended.resolve()
      }
    }
    const pool = await lab.start({ queues: ['q'] })
    pool.abort()
    assert.isTrue((await pool.ended).clean)
    listens.resolve()
    await ended.promise
  })
})
