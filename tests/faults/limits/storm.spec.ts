import { setTimeout as pause } from 'node:timers/promises'
import type { Assert } from '@japa/assert'
import { test } from '@japa/runner'
import type { AppProcess } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { StormLab } from './storm_lab.ts'

/** The full size by hand: `STORM_JOBS=100000 STORM_KILLS=200 STORM_BETWEEN=2500`. A failed run names its `STORM_SEED`. */
const JOBS = Number(process.env.STORM_JOBS ?? 700)
const KILLS = Number(process.env.STORM_KILLS ?? 5)
/** Mean time between two kills, ms. */
const BETWEEN = Number(process.env.STORM_BETWEEN ?? 1_500)
const SEED = Number(process.env.STORM_SEED ?? Date.now() % 1_000_000)

const QUEUES = ['one', 'two']
const USERS = ['ann', 'ben', 'cem', 'dora', 'e.f@example.org', 'Fünf "Gäste" 100%', 'gil', 'h i']
const LIMITS = { global: 10, user: 3, types: { heavy: 2, apart: 2 } }
const WORKERS = 4
const CONCURRENCY = 8

/** Short, so that recovery is quick; long enough that a busy machine keeps it. */
const LEASE = '2s'

const options = (limits: object = LIMITS) => ({
  limits,
  worker: { lease: LEASE, grace: '10s', maxLosses: 1_000 },
  settings: { queues: QUEUES, concurrency: CONCURRENCY },
})

function randomBy(seed: number) {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

/**
 * Jobs of all users over all queues: one in seven of the limited type, one in five fails once or twice.
 *
 * @param apart  one in so many is isolated, none with 0; they may have to wait for a process that boots
 */
function workload(count: number, ms: number, random: () => number, apart = 0) {
  return Array.from({ length: count }, (_, at) => {
    const isApart = apart > 0 && at % apart === 10
    return {
      type: at % 7 === 0 ? 'heavy' : isApart ? 'apart' : 'light',
      queue: QUEUES[Math.floor(random() * QUEUES.length)],
      attempts: 3,
      payload: {
        /** So few run beside each other only if they take long. */
        ms: Math.round(ms * (isApart ? 5 : 1) * (0.4 + 1.2 * random())),
        user: USERS[Math.floor(random() * USERS.length)],
        failures: at % 5 === 0 ? 1 + (at % 2) : 0,
      },
    }
  })
}

test.group('Limits in the storm', (group) => {
  let lab: StormLab
  let workers: AppProcess[]
  group.setup(async () => {
    lab = new StormLab((await redisServer()).url, options())
    workers = await lab.start(WORKERS)
    return () => lab.close()
  })

  async function assertAllEnded(assert: Assert, ids: string[]) {
    const endings = await lab.endings(QUEUES)
    const wrong = ids.filter((id) => endings.get(id)?.join() !== 'completed')
    assert.deepEqual(
      wrong.slice(0, 5).map((id) => [id, endings.get(id)]),
      []
    )
    assert.deepEqual(await lab.heldBack(QUEUES), 0)
    await lab.nothingLeft()
    const depths = await lab.jobs.transport.depths(QUEUES)
    for (const queue of QUEUES) {
      const { pending, scheduled, blocked, running, failed } = depths[queue]
      assert.deepEqual([pending, scheduled, blocked, running, failed], [0, 0, 0, 0, 0])
    }
  }

  async function assertWithinLimits(assert: Assert) {
    const most = await lab.witness.most()
    assert.isAtMost(most.all, 10, 'all')
    assert.isAtMost(most.user, 3, 'of a user')
    assert.isAtMost(most.type('heavy'), 2, 'of the type')
    assert.isAtMost(most.type('apart'), 2, 'of isolated ones')
    return most
  }

  test('hold, lose nothing and leave nothing while workers are killed', async ({ assert }) => {
    const random = randomBy(SEED)
    /** So long that the jobs last as long as the kills. */
    const ms = Math.max(5, (KILLS * BETWEEN * 6) / JOBS)
    const began = performance.now()
    const ids = await lab.dispatch(workload(JOBS, ms, random, 90))

    for (let kill = 0; kill < KILLS; kill++) {
      await pause(BETWEEN * (0.5 + random()))
      const victim = Math.floor(random() * WORKERS)
      await lab.kill(workers[victim])
      workers[victim] = lab.spawn()
    }
    const killing = performance.now() - began
    const left = JOBS - (await lab.completed(QUEUES))
    await waitFor('all jobs to end', async () => (await lab.completed(QUEUES)) >= JOBS, {
      within: 30_000 + left * ms,
      every: 100,
    }).catch(async (error) => {
      const depths = JSON.stringify(await lab.jobs.transport.depths(QUEUES))
      throw new Error(`Seed ${SEED}: ${error.message} ${depths} ${await lab.leftovers()}`)
    })
    const all = performance.now() - began

    await assertAllEnded(assert, ids)
    const most = await assertWithinLimits(assert)
    const stretches = await lab.witness.stretches()
    const lost = stretches.filter(({ to }) => to === null).length
    assert.isAbove(lost, 0, 'no job was hit')
    assert.isAtLeast(most.type('apart'), 1, 'no isolated one ran')
    console.log(
      `    seed ${SEED}: ${JOBS} jobs, ${KILLS} kills in ${Math.round(killing)} ms, ${Math.round(all)} ms in all; ` +
        `${stretches.length} attempts, ${lost} killed; most at once ${most.all}, of a user ${most.user}, of the type ${most.type('heavy')}, of isolated ones ${most.type('apart')}`
    )
  }).timeout(120_000 + KILLS * 10_000)

  test('hold while one worker after the other is stopped and replaced', async ({ assert }) => {
    await Promise.all(workers.map((worker) => lab.works(worker)))
    const before = await lab.completed(QUEUES)
    const random = randomBy(SEED)
    const jobs: ReturnType<typeof workload> = []
    const ids: string[] = []
    for (let at = 0; at < 3; at++) {
      const [oldest, ...others] = workers
      /** Each stops while jobs run and wait, however fast the machine is. */
      const more = workload(120, 100, random)
      jobs.push(...more)
      ids.push(...(await lab.dispatch(more)))
      const next = lab.spawn()
      const { code } = await oldest.stop()
      assert.equal(code, 0, oldest.output())
      assert.notInclude(oldest.output(), 'unhandled')
      workers = [...others, await lab.works(next)]
    }
    const all = before + ids.length
    await waitFor('all jobs to end', async () => (await lab.completed(QUEUES)) >= all, {
      within: 40_000,
    })
    await assertAllEnded(assert, ids)
    await assertWithinLimits(assert)
    /** A claim that reaches a worker when it has been told to stop is handed back: an attempt without a run, which fails nothing. */
    const handedBack = await lab.handedBack(QUEUES)
    const stretches = (await lab.witness.stretches()).filter(({ id }) => ids.includes(id))
    const runs = Map.groupBy(stretches, ({ id }) => id)
    let given = 0
    for (const [at, id] of ids.entries()) {
      const without = handedBack.get(id) ?? []
      const planned: number[] = []
      for (let attempt = 1; (planned.at(-1) ?? 0) <= jobs[at].payload.failures; attempt++) {
        if (!without.includes(attempt)) planned.push(attempt)
      }
      const ran = runs.get(id)?.map(({ attempt }) => attempt)
      assert.deepEqual(ran, planned, `${id}, handed back ${without.join()}`)
      given += without.length
    }
    assert.isAtMost(given, 3 * CONCURRENCY)
    assert.isTrue(stretches.every(({ to }) => to !== null))
  })
})

test.group('Limits of a Redis that forgets', (group) => {
  let lab: StormLab
  group.each.setup(() => () => lab.close())

  test('are in force again within 5 seconds after it was emptied, and after it was restarted', async ({
    assert,
    cleanup,
  }) => {
    const redis = await redisServer({ own: true })
    cleanup(() => redis.stop())
    lab = new StormLab(redis.url, options())
    const { redis: client, transport } = lab.jobs
    const workers: AppProcess[] = await lab.start(2)

    const again = async (what: string) => {
      const began = performance.now()
      /** These wait for limits before they run at all. */
      const ids = await lab.dispatch(workload(100, 40, randomBy(SEED)))
      await waitFor(
        `limits to be in force after ${what}`,
        async () => {
          const force = await client.hgetall(transport.keys.limits)
          return force.global === '10' && force.user === '3' && force['t:heavy'] === '2'
        },
        { within: 5_000 }
      )
      const took = performance.now() - began
      await waitFor(
        'all jobs to end',
        async () => (await lab.completed(QUEUES)) >= ids.length
      ).catch(async (error) => {
        const depths = JSON.stringify(await lab.jobs.transport.depths(QUEUES))
        throw new Error(`After ${what}: ${error.message} ${depths} ${await lab.leftovers()}`)
      })
      await assertMost(ids)
      await lab.nothingLeft()
      return took
    }
    /** What ran when Redis forgot, nobody counts any more. */
    const assertMost = async (ids: string[]) => {
      const most = await lab.witness.mostOf(ids)
      assert.isAtMost(most.all, 10)
      assert.deepEqual([most.user, most.type('heavy')], [3, 2])
    }

    const first = await lab.dispatch(workload(200, 40, randomBy(SEED)))
    await waitFor('many to run', async () => (await lab.completed(QUEUES)) > 50)
    await assertMost(first)
    await client.flushall()
    const emptied = await again('Redis was emptied')

    await lab.dispatch(workload(200, 40, randomBy(SEED)))
    await redis.kill()
    await redis.start()
    await waitFor('the connection', async () => (await client.ping()) === 'PONG')
    const restarted = await again('Redis was restarted')
    console.log(
      `    in force ${Math.round(emptied)} ms after it was emptied, ${Math.round(restarted)} ms after it was restarted`
    )
    for (const worker of workers) assert.equal((await worker.stop()).code, 0, worker.output())
  })
})
