import { test } from '@japa/runner'
import { addEventRows } from '../../../src/records/writer/event_rows.ts'
import type { EventTuple } from '../../../src/records/writer_types.ts'

const NOW = 1_764_028_800_000

function eventRows(seq: number, version: bigint, list: EventTuple[], most?: number) {
  const rows: Parameters<typeof addEventRows>[0] = []
  addEventRows(rows, seq, version, list, most)
  return rows
}

test.group('Records | packed events', () => {
  test('one row holds what JSON.stringify would give', ({ assert }) => {
    const list: EventTuple[] = [
      [NOW, 1, 0, 'added', { by: 'ann "the\u0000\ud800 boss"' }],
      [NOW + 1, 1, 1, 'running', null],
      [NOW + 2, 1, 1, 'redis restored', undefined],
    ]
    const rows = eventRows(7, 5n, list)
    assert.deepEqual(rows, [[7, 5n, JSON.stringify(list)]])
  })

  test('a long list goes on in rows of the next versions, each valid by itself', ({ assert }) => {
    const list = Array.from({ length: 500 }, (_, index): EventTuple => {
      return [NOW + index, 1, index, 'attempt failed', { code: null, message: 'é"'.repeat(50) }]
    })
    const rows = eventRows(7, 100n, list, 10_000)
    assert.isAbove(rows.length, 5)
    assert.deepEqual(
      rows.map(([, version]) => version),
      rows.map((_, index) => 100n + BigInt(index))
    )
    for (const [, , text] of rows) assert.isAtMost(text.length, 10_002)
    assert.deepEqual(
      rows.flatMap(([, , text]) => JSON.parse(text) as EventTuple[]),
      list
    )
  })

  test('of a change that is too long alone the texts are cut, and its neighbours stay whole', ({
    assert,
  }) => {
    const huge = { percent: 5, stage: '😀'.repeat(400_000), unit: 'pages' }
    const rows = eventRows(7, 5n, [
      [NOW, 1, 1, 'running', null],
      [NOW, 1, 1, 'stage', huge],
      [NOW, 1, 1, 'completed', null],
    ])
    const list = rows.flatMap(([, , text]) => JSON.parse(text) as EventTuple[])
    assert.deepEqual(
      list.map(([, , , kind]) => kind),
      ['running', 'stage', 'completed']
    )
    const detail = list[1][4] as typeof huge
    assert.match(detail.stage, /^(?:😀)+…$/u)
    assert.isAtMost(detail.stage.length, 10_000)
    assert.containSubset(detail, { percent: 5, unit: 'pages' })
  })
})
