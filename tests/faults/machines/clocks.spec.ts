import { test } from '@japa/runner'
import { spawnNode, type AppProcess } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Fleet } from '../fleet/fleet.ts'
import { CLEAN } from '../fleet/verdict.ts'

const HOUR = 3_600_000
/** Of delayed jobs, ms. */
const DELAY = 2_000

test.group('Hosts whose clocks are an hour apart', (group) => {
  let fleet: Fleet
  group.setup(async () => {
    fleet = await Fleet.begin((await redisServer()).url, {
      places: [
        { host: 'behind', clock: -HOUR },
        { host: 'ahead', clock: HOUR },
      ],
    })
    return () => fleet.close()
  })

  /** Dispatches jobs on a host with such a clock; answers their ids. */
  async function dispatchAt(clock: number, jobs: object[]): Promise<string[]> {
    const { prefix, url } = fleet.lab
    const producer: AppProcess = spawnNode(
      [
        '--import=./bin/typescript.js',
        '--import=./tests/faults/fleet/elsewhere.ts',
        'tests/faults/machines/producer_process.ts',
        JSON.stringify({ address: url, prefix, jobs }),
      ],
      { NODE_ENV: 'test', FLEET_HOST: 'producer', FLEET_CLOCK: String(clock) }
    )
    const { code } = await producer.exited
    if (code !== 0) throw new Error(producer.output())
    return producer.stdout().trim().split('\n')
  }

  test('run jobs of all users within their limits, each once, with their own names in the records', async ({
    assert,
  }) => {
    const ids = await fleet.dispatch(80, 60)
    await fleet.settled(30_000)
    assert.deepEqual(await fleet.verdict(), CLEAN)
    const hosts = new Set<string | null>()
    for (const id of ids) {
      const record = (await fleet.records.reader.find(id))!
      hosts.add(record.host)
      const { createdAt, startedAt, finishedAt, duration } = record
      assert.isTrue(createdAt <= startedAt! + 50 && startedAt! <= finishedAt!, id)
      assert.isBelow(Math.abs(finishedAt! - Date.now()), 60_000)
      assert.isBelow(duration!, 60_000)
      const moments = record.events.map(({ at }) => at)
      assert.deepEqual(
        moments,
        [...moments].sort((one, other) => one - other)
      )
    }
    assert.sameMembers([...hosts], ['behind', 'ahead'])
    const { redis, transport } = fleet.lab
    for (const id of ids.slice(0, 20)) {
      const record = (await fleet.records.reader.find(id))!
      const hash = await redis.hgetall(transport.keys.job(record.queue, id))
      /** What cleanup and results are counted from. */
      assert.isBelow(Math.abs(Number(hash.finishedOn) - Date.now()), 60_000)
    }
  })

  test('start delayed jobs when they are due by Redis, whoever dispatched them', async ({
    assert,
  }) => {
    const dispatched = performance.now()
    const at = Date.now() + 4_000
    /** Due long after the test: workers must not ask for it again and again meanwhile. */
    const idle = await fleet.lab.dispatch(
      'light',
      { ms: 1, user: 'ann' },
      { queue: 'one', delay: HOUR / 2 }
    )
    const [[behind], [ahead, moment]] = await Promise.all([
      dispatchAt(-HOUR, [{ delay: DELAY }]),
      dispatchAt(HOUR, [{ delay: DELAY }, { at }]),
    ])
    fleet.ids.push(behind, ahead, moment)
    await fleet.settled(20_000)
    assert.deepEqual(await fleet.verdict(), CLEAN)
    const waited = async (id: string) => {
      const { createdAt, startedAt } = (await fleet.records.reader.find(id))!
      return startedAt! - createdAt
    }
    for (const id of [behind, ahead]) {
      assert.isAtLeast(await waited(id), DELAY - 10)
      assert.isBelow(await waited(id), DELAY + 15_000)
    }
    const { createdAt, startedAt } = (await fleet.records.reader.find(moment))!
    assert.isAtLeast(startedAt!, at - 10)
    /** The process that dispatches may have needed longer to begin than was left. */
    assert.isBelow(startedAt!, Math.max(at, createdAt) + 15_000)
    assert.equal((await fleet.records.reader.find(idle))!.status, 'scheduled')
    assert.isAbove(performance.now() - dispatched, DELAY - 10)

    const calls = async () => {
      const stats = await fleet.lab.redis.info('commandstats')
      return Number(/cmdstat_fcall:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    }
    const before = await calls()
    const began = performance.now()
    await waitFor('a second', () => performance.now() - began > 1_000)
    assert.isBelow((await calls()) - before, 200)
  })

  test('keep leases and timeouts when a clock is set back by an hour under work', async ({
    assert,
  }) => {
    await fleet.dispatch(60, 100)
    await waitFor('some to run', async () => (await fleet.witness.running()) >= 5)
    for (const worker of fleet.workers) worker.child.kill('SIGUSR2')
    await fleet.settled(30_000)
    const verdict = await fleet.verdict()
    assert.deepEqual(verdict, CLEAN)
    const lost = (await fleet.witness.stretches()).filter(({ how }) => how === 'aborted')
    assert.deepEqual(lost, [])
    for (const worker of fleet.workers) assert.notInclude(worker.output(), 'unhandled')
  })
})
