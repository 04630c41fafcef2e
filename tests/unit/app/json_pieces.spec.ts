import { test } from '@japa/runner'
import { atOnce } from '#app/services/documents/breather'
import { jsonPieces } from '#app/services/documents/json_pieces'
import { jsonSteps } from '#app/services/documents/json_reading'

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
    assert.deepEqual(atOnce(jsonSteps(JSON.stringify(value))), JSON.parse(JSON.stringify(value)))
  })

  test('reads in steps what JSON.parse reads, wherever a step ends', ({ assert }) => {
    for (const shift of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const text = ' '.repeat(shift) + '\u0001"\\\u{1f600}\ud800'.repeat(30_000)
      const value = { text, list: [1, text, [text, 'small'], { text }, -1.5e-7, false], last: 1 }
      for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
        const steps = jsonSteps(json)
        let count = 1
        let step = steps.next()
        for (; step.done !== true; step = steps.next()) count++
        assert.isTrue(JSON.stringify(step.value) === JSON.stringify(value))
        assert.isAbove(count, 10)
      }
    }
    for (const broken of [`["${'x'.repeat(200_000)}"`, `{"a":["${'x'.repeat(200_000)}" 1]}`]) {
      assert.throws(() => atOnce(jsonSteps(broken)), SyntaxError)
    }
  })
})
