import type { Assert } from '@japa/assert'
import { test } from '@japa/runner'
import type { AppProcess } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { StormLab } from './storm_lab.ts'

/** How long each job takes, ms; longer than the lease. `FROZEN_JOB_MS=20000` is how it was seen in production; nothing depends on it. */
const MS = Number(process.env.FROZEN_JOB_MS ?? 3_000)
const QUEUE = 'default'

/** More than one running at once, seen from outside: locks of jobs, and how many count against the type. */
type Seen = { locks: number; slots: number }

test.group('A worker frozen for longer than its lease', (group) => {
  let lab: StormLab
  let workers: AppProcess[]
  group.setup(async () => {
    const options = {
      limits: { global: 10, user: 3, types: { heavy: 1 } },
      worker: { lease: '2s', grace: '10s' },
      settings: { queues: [QUEUE], concurrency: 4 },
    }
    lab = new StormLab((await redisServer()).url, options)
    workers = await lab.start(2)
    return () => lab.close()
  })

  /** Looks often; answers the most that was ever seen. */
  function look(): { most: Seen; stop: () => Promise<void> } {
    const { redis, prefix } = lab.jobs
    const most: Seen = { locks: 0, slots: 0 }
    let looking = true
    const looks = (async () => {
      while (looking) {
        const [locks, slots] = await Promise.all([
          redis.keys(`${prefix}:${QUEUE}:*:lock`),
          redis.hget(`${prefix}~gate:counts`, 't:heavy'),
        ])
        most.locks = Math.max(most.locks, locks.length)
        most.slots = Math.max(most.slots, Number(slots ?? 0))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    return {
      most,
      async stop() {
        looking = false
        await looks
      },
    }
  }

  /** A worker takes the first job, the other one stands by; the former is frozen until the latter works that job. */
  async function freeze(
    firstLasts: number
  ): Promise<{ ids: string[]; frozen: AppProcess; began: number }> {
    const payload = { ms: MS, user: 'ann', deaf: true }
    const job = { type: 'heavy', queue: QUEUE, attempts: 3, payload }
    const [first] = await lab.dispatch([
      { ...job, payload: { ...payload, ms: firstLasts, again: MS } },
    ])
    const { pid } = await waitFor('the first attempt', async () =>
      (await lab.witness.stretches()).find(({ id }) => id === first)
    )
    const began = Date.now()
    const frozen = workers.find((worker) => worker.pid === Number(pid))!
    frozen.child.kill('SIGSTOP')
    const ids = [first, ...(await lab.dispatch([job, job]))]
    await waitFor(
      'the second attempt',
      async () => (await lab.jobs.job(first, QUEUE)).ats === '2',
      {
        within: 2 * MS + 10_000,
      }
    )
    return { ids, frozen, began }
  }

  async function assertInTurn(assert: Assert, ids: string[], seen: Seen) {
    assert.deepEqual(seen, { locks: 1, slots: 1 })
    const stretches = (await lab.witness.stretches()).filter(
      ({ id, attempt }) => ids.includes(id) && (id !== ids[0] || attempt > 1)
    )
    /** The frozen one's slot was free at once, so the next job may have come before its second attempt. */
    assert.sameDeepMembers(
      stretches.map(({ id, attempt }) => [id, attempt]),
      ids.map((id, at) => [id, at === 0 ? 2 : 1])
    )
    const overlaps = stretches.filter(({ from }, at) => at > 0 && from < stretches[at - 1].to!)
    assert.deepEqual(overlaps, [])
    const endings = await lab.endings([QUEUE])
    assert.sameDeepMembers(
      [...endings].filter(([id]) => ids.includes(id)),
      ids.map((id) => [id, ['completed']])
    )
    assert.deepEqual(JSON.parse((await lab.jobs.job(ids[0], QUEUE)).returnvalue), 'attempt 2')
    await lab.nothingLeft()
  }

  for (const [when, late] of [
    ['before its job would end', false],
    ['after its job should have ended', true],
  ] as const) {
    test(`gives back no slot when it wakes ${when}`, async ({ assert }) => {
      const { ids, frozen, began } = await freeze(late ? MS : 5 * MS)
      const { most, stop } = look()
      /** Its timers are due at once then: it tries to end its job before it learns that it lost it. */
      if (late)
        await waitFor('its time to be over', () => Date.now() > began + MS + 100, {
          within: MS * 2,
        })
      assert.equal(await lab.jobs.transport.state(QUEUE, ids[0]), 'active')
      assert.equal(Date.now() > began + MS * (late ? 1 : 5), late)
      frozen.child.kill('SIGCONT')
      for (const id of ids) await lab.jobs.ended(id, QUEUE, 4 * MS + 5_000)
      await waitFor('the frozen attempt to return', async () =>
        (await lab.witness.stretches()).some(
          ({ id, attempt, to }) => id === ids[0] && attempt === 1 && to !== null
        )
      )
      await stop()
      await assertInTurn(assert, ids, most)
      for (const worker of workers) {
        if (late) assert.equal((await worker.stop()).code, 0)
        assert.notInclude(worker.output(), 'unhandled')
      }
    }).timeout(60_000 + 10 * MS)
  }
})
