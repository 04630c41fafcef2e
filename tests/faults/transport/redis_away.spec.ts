import { doesNotMatch, equal } from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { within } from '../../../src/time/within.ts'
import type { PrivateServer } from '#tests/helpers/servers'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { add, startProcess, starts } from '../worker/processes.ts'

/** How long Redis is away, s: pauses between attempts to connect have grown to their longest by then. By hand also with 30. */
const AWAY = Number(process.env.QUEUEDECK_AWAY_SECONDS ?? 12)

class Short extends Job<any, void> {
  static options = { name: 'short' }
  execute() {}
}

/** What happens to a Redis; each works on by itself afterwards. */
const OUTAGES: Record<string, (server: PrivateServer, lab: WorkerLab) => Promise<unknown>> = {
  [`stopped for ${AWAY} s`]: async (server) => {
    await server.halt()
    await pause(AWAY * 1_000)
    await server.start()
  },
  [`silent for ${AWAY} s`]: async (server) => {
    server.freeze()
    await pause(AWAY * 1_000)
    server.thaw()
  },
  'cutting all connections': (_, lab) =>
    lab.redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
}

/** Lets a worker live through an outage of a Redis of its own. */
async function outlive(outage: (typeof OUTAGES)[string]): Promise<void> {
  const server = await redisServer({ own: true, appendOnly: true })
  const lab = new WorkerLab(server.url, [Short])
  try {
    const worker = await startProcess(lab)
    await outage(server, lab)
    const id = await waitFor('a dispatch', () => add(lab, 'short', { ms: 1 }))
    equal((await lab.ended(id, 'default', 5_000)).state, 'completed')
    equal((await worker.stop()).code, 0)
    doesNotMatch(worker.output(), /unhandled/)
  } finally {
    server.thaw()
    await lab.close()
    await server.stop()
  }
}

test.group('Redis away', (group) => {
  let outages: Map<string, Promise<void>>
  let server: PrivateServer
  let lab: WorkerLab

  /** They mostly wait: all at once, and beside the other tests. */
  group.setup(() => {
    outages = new Map(Object.entries(OUTAGES).map(([what, outage]) => [what, outlive(outage)]))
    outages.forEach((outcome) => outcome.catch(() => {}))
  })

  group.each.setup(async () => {
    server = await redisServer({ own: true, appendOnly: true })
    lab = new WorkerLab(server.url, [Short])
    return async () => {
      server.thaw()
      await lab.close()
      await server.stop()
    }
  })

  const refusedWithin = async (milliseconds: number) => {
    const asked = performance.now()
    const error = await lab.dispatch(Short).then(
      () => undefined,
      (thrown) => thrown
    )
    return { code: error?.code, took: performance.now() - asked <= milliseconds, error }
  }

  test('refuses a dispatch within 5 s, clearly, when Redis is gone or says nothing', async ({
    assert,
  }) => {
    await lab.dispatch(Short)
    server.freeze()
    const silent = await refusedWithin(5_500)
    assert.deepEqual([silent.code, silent.took], ['E_REDIS_UNAVAILABLE', true])
    server.thaw()
    await waitFor('Redis to answer', () => lab.dispatch(Short))
    await server.halt()
    const gone = await refusedWithin(5_500)
    assert.deepEqual([gone.code, gone.took], ['E_REDIS_UNAVAILABLE', true])
    const untimely = await within(5_500, lab.transport.time()).catch(({ code }) => code)
    assert.equal(untimely, 'E_REDIS_UNAVAILABLE')
    await server.start()
    await waitFor('dispatching to work again', () => lab.dispatch(Short))
  })

  test('keeps a running job through a full Redis and refuses dispatches that leave nothing', async ({
    assert,
  }) => {
    const worker = await startProcess(lab)
    const running = await add(lab, 'short', { ms: 1_500 })
    await waitFor('the job to run', async () => (await starts(lab)).length === 1)
    const used = Number(/used_memory:(\d+)/.exec(await lab.redis.info('memory'))![1])
    await lab.redis.config('SET', 'maxmemory-policy', 'noeviction')
    await lab.redis.config('SET', 'maxmemory', String(used + 1_048_576))

    let refused: any
    const keysBefore = new Set<string>()
    for (let n = 0; n < 50 && refused === undefined; n++) {
      ;(await lab.redis.keys('*')).forEach((key) => keysBefore.add(key))
      await add(lab, 'later', { text: 'x'.repeat(100_000) }, { delay: 3_600_000 }).catch(
        (error) => (refused = error)
      )
    }
    assert.equal(refused?.code, 'E_REDIS_UNAVAILABLE')
    const grown = (await lab.redis.keys('*')).filter((key) => !keysBefore.has(key))
    assert.deepEqual(
      grown.filter((key) => !key.includes('~')),
      []
    )

    /** It ends meanwhile. */
    await pause(2_000)
    await lab.redis.config('SET', 'maxmemory', '0')
    const job = await lab.ended(running)
    assert.deepEqual([job.state, job.ats], ['completed', '1'])
    const next = await add(lab, 'short', { ms: 1 })
    assert.equal((await lab.ended(next, 'default', 5_000)).state, 'completed')
    await worker.stop()
  })

  test('brings its scripts to a Redis that comes back empty', async ({ assert }) => {
    const worker = await startProcess(lab)
    await lab.redis.flushall()
    await lab.redis.function('FLUSH')
    const id = await add(lab, 'short', { ms: 1 })
    assert.equal((await lab.ended(id, 'default', 10_000)).state, 'completed')
    await worker.stop()
  })

  for (const what of Object.keys(OUTAGES)) {
    test(`works on within 5 s after a Redis ${what}`, () => outages.get(what)).timeout(
      60_000 + AWAY * 1_000
    )
  }
})
