import { test } from '@japa/runner'
import { jsonPieces } from '#app/services/documents/json_pieces'

test.group('JSON in pieces', () => {
  test('writes what JSON.stringify writes, and no piece of many megabytes', ({ assert }) => {
    const value = {
      text: 'x\u{1f600}"\\\n\ud800'.repeat(200_000),
      none: undefined,
      nothing: null,
      empty: {},
      list: [],
      blocks: Array.from({ length: 5_000 }, (_, index) => ({ start: index, title: undefined })),
      odd: [undefined, null, 1.5, true, 'text', [1, [2]]],
      large: ['y'.repeat(300_000), 'z', 'y'.repeat(300_000)],
      inner: { pages: [{ label: 'iv' }], done: false },
    }
    const pieces = [...jsonPieces(value)]
    assert.isTrue(pieces.join('') === JSON.stringify(value))
    assert.isBelow(Math.max(...pieces.map(({ length }) => length)), 1_200_000)
    assert.equal([...jsonPieces({})].join(''), '{}')
  })
})
