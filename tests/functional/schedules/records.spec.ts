import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import type { Records } from '../../../src/records/records.ts'
import type { Schedule } from '../../../src/schedule_types.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { migrate, openRecords } from '../mirror/records.ts'

eachDatabase(({ label, create }) => {
  test.group(`Records of schedules | ${label}`, (group) => {
    let records: Records
    group.setup(async () => {
      const { connection } = await create()
      await migrate(connection)
      records = openRecords(connection)
      return () => records.close()
    })

    const insert = (name: string) =>
      records.schedules.insert({
        ...{ id: randomUUID(), name, type: 'a', payload: '{}', queue: 'q', options: {} },
        ...{ cron: '@daily', zone: 'UTC', every: null, overlap: 'skip', missed: 'once' },
        ...{ origin: 'code', createdAt: 1_000, createdBy: 'Ada' },
      })

    test('are written once a name, changed once a generation, planned, seen and erased', async ({
      assert,
    }) => {
      const { schedules } = records
      assert.deepEqual(await Promise.all([insert('b'), insert('b'), insert('B'), insert('a')]), [
        true,
        false,
        true,
        true,
      ])
      const names = (await schedules.list({ after: '', limit: 10 })).map(({ name }) => name)
      assert.deepEqual(names, ['B', 'a', 'b'])
      assert.equal(await schedules.count(), 3)
      const [first] = await schedules.list({ after: 'a', limit: 1 })
      assert.lengthOf(await schedules.due(5, 10), 3)

      const { seq, generation } = first
      const run = { seq, generation, due: 9_000, jobId: randomUUID(), madeAt: 1 }
      const runs = [
        { ...run, kind: 'planned' as const },
        { ...run, due: 8_000, jobId: null, kind: 'missed' as const },
      ]
      const planned = { seq, generation, plannedAt: 9_000, lookAt: 9_000 }
      assert.deepEqual(await schedules.planned(runs, [planned]), [])
      assert.deepEqual(await schedules.planned(runs, [planned]), [], 'the same again')
      assert.deepEqual(
        (await schedules.runs(seq, { limit: 5 })).map(({ kind, due }) => [kind, due]),
        [
          ['planned', 9_000],
          ['missed', 8_000],
        ]
      )
      assert.lengthOf(await schedules.runsBetween(0, 10_000, 5), 1)
      assert.deepEqual(
        (await schedules.ahead(0, 5)).map(({ name }) => name),
        ['b']
      )
      assert.deepEqual([...(await schedules.names([seq]))], [[seq, 'b']])

      const by = { at: 2_000, name: 'Bob' }
      assert.isTrue(await schedules.change(first, { paused: true }, by))
      assert.isFalse(await schedules.change(first, { paused: false }, by))
      assert.deepEqual(await schedules.planned([], [planned]), [seq], 'changed meanwhile')
      const changed = (await schedules.find(first.id)) as Schedule
      assert.deepEqual([changed.paused, changed.changedBy, changed.plannedAt], [true, 'Bob', 0])
      assert.lengthOf(await schedules.outdatedRuns(changed, 0), 1)
      await schedules.takenBack(runs[0])
      assert.lengthOf(await schedules.outdatedRuns(changed, 0), 0)
      const takenBack = await schedules.takenBackAmong([run, { ...run, jobId: randomUUID() }])
      assert.deepEqual([...takenBack], [run.jobId])

      await schedules.seen(['b'], 50_000)
      await schedules.withdraw(10_000)
      const withdrawn = await schedules.list({ after: '', limit: 10 })
      assert.deepEqual(
        withdrawn.map((one) => one.withdrawn),
        [true, true, false]
      )
      assert.isTrue(await schedules.erase(seq))
      assert.isNull(await schedules.find(first.id))
      assert.lengthOf(await schedules.runs(seq, { limit: 5 }), 0)
    })
  })
})
