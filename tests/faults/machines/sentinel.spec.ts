import { test } from '@japa/runner'
import { redisSentinels, replicated } from '#tests/helpers/redis_groups'
import { waitFor } from '#tests/helpers/wait'
import { Fleet } from '../fleet/fleet.ts'
import { CLEAN } from '../fleet/verdict.ts'
import { throughThePages } from './through_the_pages.ts'

test.group('Redis Sentinel', (group) => {
  let sentinels: Awaited<ReturnType<typeof redisSentinels>>
  let starting: Promise<Fleet>
  group.setup(async () => {
    sentinels = await redisSentinels()
    starting = Fleet.begin(sentinels.address, { places: [{}, {}] })
    starting.catch(() => {})
    return async () => {
      await starting.then(
        (fleet) => fleet.close(),
        () => {}
      )
      await sentinels.stop()
    }
  })

  test('takes jobs, limits, cancels, restarts, pages, live changes and cleanup', async ({
    assert,
  }) => {
    await throughThePages(assert, JSON.parse(sentinels.address))
  })

  test('lets everything go on by itself when a primary dies, and when a primary and its replica change places', async ({
    assert,
  }) => {
    const fleet = await starting
    const someRun = async () => {
      const before = await fleet.witness.stretches()
      await waitFor(
        'some to run',
        async () => (await fleet.witness.stretches()).length > before.length + 15
      )
    }
    const primary = await sentinels.primary()
    await fleet.dispatch(150, 40)
    await someRun()
    await replicated(primary)
    await primary.kill()
    const died = performance.now()
    await waitFor('a dispatch', () => fleet.dispatch(20, 40))
    const took = performance.now() - died
    await fleet.settled(30_000)
    assert.deepEqual(await fleet.verdict(), CLEAN)

    /**
     * Sentinel lets the former primary take writes until it has told it: what ended there meanwhile runs once more, as another run
     * with its reason, and nothing is lost.
     */
    await fleet.dispatch(100, 40)
    await someRun()
    await sentinels.changePlaces()
    await waitFor('a dispatch', () => fleet.dispatch(20, 40))
    await fleet.settled(30_000)
    await waitFor('all to have ended in Redis', async () => (await fleet.open()) === 0)
    await waitFor('the records to follow', async () => (await fleet.lag()) === 0)
    const { finishedTwice, differing, ...rest } = await fleet.verdict()
    const { finishedTwice: none, differing: nothing, ...clean } = CLEAN
    assert.deepEqual(rest, clean)
    for (const id of finishedTwice) {
      const record = (await fleet.records.reader.find(id))!
      assert.equal(record.run, 2)
    }
    console.log(
      `    dispatched again ${Math.round(took)} ms after the primary died; ${finishedTwice.length} of 120 ran again after the change of places`
    )
    for (const worker of fleet.workers) {
      assert.equal((await worker.stop()).code, 0)
      assert.notInclude(worker.output(), 'unhandled')
    }
  })
})
