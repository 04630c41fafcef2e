import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import { eraseMetrics } from '../../../src/records/metrics/metric_eraser.ts'
import type { Measure } from '../../../src/records/metrics/metric_types.ts'
import type { Records } from '../../../src/records/records.ts'
import { emptyTables, openRecords } from '../mirror/records.ts'
import { add, HandMirror, newKey } from './lab.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.parse('2026-11-25T08:00:00.000Z')

const EMPTY = { added: 0, completed: 0, failed: 0, cancelled: 0, retried: 0, wait: null, run: null }

type Happened = Partial<Measure> & { queue?: string; type?: string }

eachDatabase((database) => {
  test.group(`Metrics | ${database.label}`, (group) => {
    let records: Records
    let mirror: HandMirror

    group.each.setup(async () => {
      records = openRecords(await emptyTables(database))
      mirror = new HandMirror(records)
      return () => records.close()
    })

    /** One job for each thing that happened, all in one batch. */
    const happen = (...list: Happened[]) =>
      mirror.write(
        list.map(({ queue }) => newKey(queue)),
        (job, out, index) => {
          const { type = 'demo.sleep', kind = 'completed', at = START, ...rest } = list[index]
          add(job, { type })
          const { worker = null, duration = null } = rest
          out.measures ??= []
          out.measures.push({ job, at, kind, ran: worker !== null, worker, duration, ...rest })
        }
      )

    const counted = async (query: Parameters<Records['metrics']['series']>[0]) => {
      const { points } = await records.metrics.series(query)
      return points.map(({ added, completed, failed }) => [added, completed, failed])
    }

    test('counts by minute, queue, type and host, and sums of them', async ({ assert }) => {
      const one = { worker: 'one:1:x', duration: 100 }
      const other = { worker: 'other:1:x', duration: 900 }
      await happen(
        { kind: 'added' },
        { kind: 'added', queue: 'mail' },
        { kind: 'started', ...one, duration: 5 },
        one,
        { ...other, queue: 'mail' },
        { ...one, queue: 'mail', type: 'demo.fail', kind: 'failed' }
      )
      await happen({ ...other, at: START + MINUTE }, { ...one, at: START + 3 * MINUTE - 1 })
      const range = { from: START, to: START + 3 * MINUTE, step: MINUTE }
      const of = (filter: object) => counted({ ...range, ...filter })
      assert.deepEqual(await of({}), [
        [2, 2, 1],
        [0, 1, 0],
        [0, 1, 0],
      ])
      assert.deepEqual(await of({ queue: 'mail' }), [
        [1, 1, 1],
        [0, 0, 0],
        [0, 0, 0],
      ])
      assert.deepEqual((await of({ type: 'demo.fail' }))[0], [0, 0, 1])
      assert.deepEqual((await of({ host: 'other' })).slice(0, 2), [
        [0, 1, 0],
        [0, 1, 0],
      ])
      assert.deepEqual((await of({ queue: 'mail', type: 'demo.sleep' }))[0], [1, 1, 0])
      assert.deepEqual((await of({ queue: 'mail', host: 'one' }))[0], [0, 0, 1])
      assert.deepEqual((await of({ type: 'demo.sleep', host: 'one' }))[2], [0, 1, 0])
      assert.deepEqual((await of({ queue: ['mail', 'default'] }))[0], [2, 2, 1])
      assert.deepEqual((await of({ queue: 'unknown' })).flat(), Array(9).fill(0))
      const { total, points } = await records.metrics.series({ ...range, host: 'one' })
      assert.deepEqual(total.run, { count: 3, p50: 100, p95: 100, p99: 100 })
      assert.deepEqual(points[0].wait, { count: 1, p50: 5, p95: 5, p99: 5 })
      assert.isNull(points[1].wait)
      const byQueue = await records.metrics.totals('queue', range)
      assert.deepEqual([...byQueue.keys()].sort(), ['default', 'mail'])
      assert.equal(byQueue.get('mail')!.failed, 1)
      assert.equal(byQueue.get('default')!.completed, 3)
    })

    test('hours say what their minutes said, also when minutes change afterwards', async ({
      assert,
    }) => {
      const hours = { from: START, to: START + 2 * HOUR, step: HOUR }
      for (let minute = 0; minute < 90; minute += 7) {
        await happen({ at: START + minute * MINUTE, duration: minute * 40, worker: 'one:1:x' })
      }
      const before = await records.metrics.series(hours)
      assert.deepEqual(
        before.points.map(({ completed }) => completed),
        [9, 4]
      )
      const keeper = records.metricsKeeper
      assert.equal(await keeper.sumUp(START + HOUR + 5), 1)
      assert.deepEqual(await records.metrics.series(hours), before)
      assert.equal(await keeper.sumUp(START + 2 * HOUR), 1)
      assert.equal(await keeper.sumUp(START + 2 * HOUR), 0)
      assert.deepEqual(await records.metrics.series(hours), before)
      await happen({ at: START + 5, duration: 1, worker: 'one:1:x' })
      const late = await records.metrics.series(hours)
      assert.equal(late.points[0].completed, 10)
      assert.equal(await keeper.sumUp(START + 2 * HOUR), 1)
      assert.deepEqual(await records.metrics.series(hours), late)
    })

    test('a sum that ends in the middle has not been made', async ({ assert }) => {
      await happen({}, { kind: 'failed' })
      const hours = { from: START, to: START + HOUR, step: HOUR }
      const before = await records.metrics.series(hours)
      const { metricsKeeper: keeper } = records
      keeper.hook = () => {
        throw new Error('killed')
      }
      await assert.rejects(() => keeper.sumUp(START + HOUR), 'killed')
      assert.deepEqual(await records.metrics.series(hours), before)
      keeper.hook = undefined
      assert.equal(await keeper.sumUp(START + HOUR), 1)
      assert.deepEqual(await records.metrics.series(hours), before)
    })

    test('an attempt that began in an earlier batch has its time', async ({ assert }) => {
      const key = newKey()
      const attempt = { run: 1, attempt: 2, worker: 'one:1:x', error: null, errorCode: null }
      await mirror.write([key], (job, out) => {
        add(job)
        const rest = { startedAt: START, finishedAt: null, stack: null }
        out.attempts.push({ job, ...attempt, ...rest, outcome: 'running' })
      })
      await mirror.write([key], (job, out) => {
        const measure = { job, at: START + 700, kind: 'completed', ran: true, duration: null }
        const looked = { worker: 'one:1:x', attempt: { run: 1, attempt: 2 } }
        out.measures = [{ ...measure, ...looked } as Measure]
      })
      const { total } = await records.metrics.series({ from: START, to: START + MINUTE })
      assert.containSubset(total, { completed: 1, run: { count: 1 } })
      assert.closeTo(total.run!.p50, 700, 14)
    })

    test('nothing that was rolled back is counted', async ({ assert }) => {
      records.writer.hook = (point) => {
        if (point === 4) throw new Error('killed')
      }
      await assert.rejects(() => happen({}), 'killed')
      records.writer.hook = undefined
      await happen({})
      const { total } = await records.metrics.series({ from: START, to: START + MINUTE })
      assert.equal(total.completed, 1)
    })

    test('deletes old minutes once their hour is summed up, and adds to the sum what comes late', async ({
      assert,
    }) => {
      const keeper = records.metricsKeeper
      const eraser = records.eraser()
      const erase = (unit: 'minute' | 'hour', before: number) =>
        eraser.locked((session) => eraseMetrics(session, unit, before))
      const hours = { from: START, to: START + 2 * HOUR, step: HOUR }
      const said = async () => (await records.metrics.series(hours)).points
      await happen({ duration: 30 }, { kind: 'failed', queue: 'mail', at: START + 59 * MINUTE })
      await keeper.sample([{ host: 'one', cpu: 0.5, memory: { used: 1, limit: 2 } }], START)
      await happen({ at: START + HOUR })
      const before = await said()
      assert.equal((await erase('minute', START + 2 * HOUR)).removed, 0)
      assert.equal(await keeper.sumUp(START + HOUR), 1)
      const gone = await erase('minute', START + 2 * HOUR)
      assert.isTrue(gone.isDone)
      assert.equal(gone.removed, 8 + 1)
      assert.deepEqual(await said(), before)
      await happen({ duration: 30, at: START + 5 * MINUTE })
      const late = await said()
      assert.containSubset(late[0], { completed: 2, failed: 1, run: { count: 2, p50: 30 } })
      assert.equal(await keeper.sumUp(START + HOUR), 1)
      assert.deepEqual(await said(), late)
      await keeper.sample([{ host: 'one', cpu: 1, memory: { used: 3, limit: 2 } }], START + MINUTE)
      const lateHosts = await records.metrics.hosts(hours)
      assert.containSubset(lateHosts.get('one'), [
        { samples: 2, cpu: { mean: 0.75, most: 1 }, memory: { mean: 2, most: 3 } },
      ])
      assert.equal(await keeper.sumUp(START + HOUR), 1)
      assert.deepEqual(await records.metrics.hosts(hours), lateHosts)
      await erase('hour', START + HOUR)
      assert.deepEqual(await said(), [{ ...late[0], ...EMPTY }, late[1]])
      await eraser.close()
    })

    test('keeps what hosts use, by minute and by hour', async ({ assert }) => {
      const keeper = records.metricsKeeper
      const sample = (cpu: number, used: number, at: number) =>
        keeper.sample([{ host: 'one', cpu, memory: { used, limit: 1_000 } }], at)
      await sample(0.25, 100, START)
      await sample(0.75, 300, START + 10_000)
      await sample(0.1, 200, START + MINUTE)
      const minutes = await records.metrics.hosts({ from: START, to: START + 5 * MINUTE })
      assert.deepEqual(minutes.get('one'), [
        {
          at: START,
          samples: 2,
          cpu: { mean: 0.5, most: 0.75 },
          memory: { mean: 200, most: 300, limit: 1_000 },
        },
        {
          at: START + MINUTE,
          samples: 1,
          cpu: { mean: 0.1, most: 0.1 },
          memory: { mean: 200, most: 200, limit: 1_000 },
        },
      ])
      const hour = { from: START, to: START + HOUR, step: HOUR }
      const before = await records.metrics.hosts(hour)
      assert.closeTo(before.get('one')![0].cpu.mean, 1.1 / 3, 0.001)
      assert.equal(await keeper.sumUp(START + HOUR), 1)
      assert.deepEqual(await records.metrics.hosts(hour), before)
      assert.equal((await records.metrics.hosts({ ...hour, host: 'other' })).size, 0)
    })
  })
})
