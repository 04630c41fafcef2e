import { test } from '@japa/runner'
import type { Db } from '../../../src/records/dialect/db.ts'
import { NameReader } from '../../../src/records/reader/name_reader.ts'

test.group('Names of records', () => {
  const dbOf = (names: string[]) =>
    ({
      all: async (_sql: string, ids: number[]) => ids.map((id) => ({ id, name: names[id] })),
    }) as unknown as Db

  test('are within reach after more were read than are kept', async ({ assert }) => {
    const names = new NameReader(dbOf(['a', 'b', 'c', 'd']), { most: 2, time: 60_000 })
    await names.load([0, 1, 2])
    await names.load([2, 3])
    assert.deepEqual([names.text(2), names.text(3)], ['c', 'd'])
  })

  test('are those of tables that were made anew', async ({ assert }) => {
    const stored = ['mail']
    const names = new NameReader(dbOf(stored), { most: 10, time: 0 })
    await names.load([0])
    assert.equal(names.text(0), 'mail')
    stored[0] = 'report'
    await names.load([0])
    assert.equal(names.text(0), 'report')
  })
})
