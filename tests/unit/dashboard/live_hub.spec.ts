import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { LiveHub } from '../../../src/dashboard/live/live_hub.ts'
import type { ChangeNotice } from '../../../src/types.ts'
import { waitFor } from '#tests/helpers/wait'

/** A hub whose Redis has counted this many notices, and what its listeners are told. */
async function listening(counted: number, cleanup: (callback: () => void) => void) {
  const redis = { counted }
  let arrive: ((notice: ChangeNotice) => void) | undefined
  const changes = {
    revision: async () => redis.counted,
    subscribe: async (listener: typeof arrive) => {
      arrive = listener
      return () => {}
    },
  }
  const connections = { produce: (_: string, ask: (client: null) => unknown) => ask(null) }
  const dashboard = {
    redisAwaySince: null as number | null,
    changesCounted: async () => (dashboard.redisAwaySince === null ? redis.counted : null),
  }
  const hub = new LiveHub(dashboard as never, { changes, connections } as never, {} as never)
  const ending = new AbortController()
  const told: ChangeNotice[] = []
  cleanup(() => {
    ending.abort()
    hub.close()
  })
  hub.listen((notice) => told.push(notice), ending.signal)
  await hub.revision()
  const take = (revision: number) => {
    redis.counted = revision
    arrive!({ revision, changed: [], more: false, progress: [], lag: 0 })
  }
  return {
    redis,
    dashboard,
    told,
    take,
    more: () => told.map(({ revision, more }) => [revision, more]),
  }
}

test.group('Live hub', () => {
  test('says that there was more where a notice was missed', async ({ assert, cleanup }) => {
    const { take, more } = await listening(0, cleanup)
    for (const revision of [1, 2, 4, 5]) take(revision)
    assert.deepEqual(more(), [
      [1, false],
      [2, false],
      [4, true],
      [5, false],
    ])
  })

  test('says so too where those before the first of an emptied Redis were missed', async ({
    assert,
    cleanup,
  }) => {
    const { take, more } = await listening(9, cleanup)
    for (const revision of [10, 3, 4]) take(revision)
    assert.deepEqual(more(), [
      [9, true],
      [10, false],
      [3, true],
      [4, false],
    ])
  })

  test('finds by itself what was missed and nothing followed, whichever way Redis counted', async ({
    assert,
    cleanup,
  }) => {
    const { redis, told, take, more } = await listening(9, cleanup)
    for (const counted of [12, 2]) {
      redis.counted = counted
      await waitFor('word of it', () => told.at(-1)!.revision === counted)
    }
    take(3)
    assert.deepEqual(more(), [
      [9, true],
      [12, true],
      [2, true],
      [3, false],
    ])
  })

  test('says that Redis is away, and that it is back, once each', async ({ assert, cleanup }) => {
    const { dashboard, told, more } = await listening(9, cleanup)
    dashboard.redisAwaySince = Date.now()
    await waitFor('word of it', () => told.length === 2)
    dashboard.redisAwaySince = null
    await waitFor('word of its end', () => told.length === 3)
    await pause(2_500)
    assert.deepEqual(more(), [
      [9, true],
      [9, true],
      [9, true],
    ])
  })
})
