import { test } from '@japa/runner'
import { createDatabase, eachDatabase } from '#tests/helpers/databases'
import { cutLog, logSize } from '#tests/helpers/redis_log'
import { LosingLab, pause } from './losing_lab.ts'
import { QUEUES, type LoggedJob } from './workload.ts'

const ids = (jobs: LoggedJob[]) => jobs.map(({ job }) => job.id)

eachDatabase(({ label, create }) => {
  test.group(`Mirror and a Redis that loses | ${label}`, () => {
    test('leaves no record that claims what is not so after Redis was restarted, emptied, and its streams cut', async ({
      assert,
    }) => {
      const losing = await LosingLab.open(await create())
      const { lab, redis, workload } = losing
      try {
        await losing.load(100)
        await redis.kill()
        await redis.start()
        await losing.load(60)
        assert.deepEqual(await losing.settled(), { found: [], lost: [], unheard: [] })

        const cutting = losing.load(200)
        for (let cut = 0; cut < 10; cut++) {
          await pause(20 + Math.random() * 40)
          for (const queue of QUEUES)
            await lab.redis.xtrim(lab.transport.keys.events(queue), 'MAXLEN', 0)
        }
        await cutting
        const afterCuts = await losing.settled()
        assert.deepEqual(afterCuts.found, [])
        assert.deepEqual(ids(afterCuts.unheard), [])
        /** Whose removal alone was told by an entry that was cut: nothing in Redis says how it ended. */
        assert.isTrue(afterCuts.lost.every(({ kind }) => kind === 'removed'))

        /** A worker may tell late that a job has failed, which is restarted then and loses that run, too. */
        const isOver = ({ kind, run }: LoggedJob) => kind !== 'restarted' || run === 2
        const before = new Set(ids([...workload.log.values()].filter(isOver)))
        await losing.load(100)
        const endangered = new Set([...workload.log.keys()].filter((id) => !before.has(id)))
        const wasHeard = await losing.lose(() => losing.empty())
        await losing.load(60)
        const { found, lost, unheard } = await losing.settled()
        assert.deepEqual(found, [])
        const isSafe = (id: string) => !endangered.has(id)
        assert.sameMembers(ids(lost).filter(isSafe), ids(afterCuts.lost))
        assert.deepEqual(ids(unheard).filter(isSafe), [])
        /** What the records had taken in before the loss they still know. */
        assert.deepEqual(ids(unheard.filter(wasHeard)), [])
      } finally {
        await losing.close()
      }
    })
  })
})

test.group('Mirror and a Redis that loses its last moments', () => {
  test('changes no record of before, and leaves none that claims what is not so', async ({
    assert,
  }) => {
    const losing = await LosingLab.open(await createDatabase())
    const { lab, redis, workload } = losing
    try {
      await losing.load(40)
      await losing.settled()
      for (const kept of [0.8, 0.1, 0.5]) {
        const told = await losing.told()
        const size = await logSize(redis.directory)
        await losing.load(80)
        const wasHeard = await losing.lose(() => cutLog(redis.directory, size, kept))
        await losing.load(20)
        /** Jobs that had been cancelled or removed, and wait for their far moment again. */
        for (const entry of workload.log.values()) {
          const { kind, job } = entry
          if (!['cancelled waiting', 'removed', 'added again'].includes(kind)) continue
          const { outcome } = await lab.transport.cancel(job.queue, job.id, {
            by: 'bob',
            reason: 'again',
          })
          if (outcome === 'done') entry.ending = { status: 'cancelled', error: null }
        }
        const { found, unheard } = await losing.settled()
        assert.deepEqual(found, [])
        assert.deepEqual(ids(unheard.filter(wasHeard)), [])
        const now = await losing.told()
        assert.deepEqual(new Map([...told.keys()].map((id) => [id, now.get(id)!])), told)
      }
    } finally {
      await losing.close()
    }
  })
})
