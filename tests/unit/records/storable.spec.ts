import { test } from '@japa/runner'
import { storable, storableNumber, storedFold, storedName } from '../../../src/records/storable.ts'

test.group('Storable values', () => {
  test('replaces NUL and half surrogates visibly and leaves the rest alone', ({ assert }) => {
    assert.equal(storable('a\0b\ud800c😀'), 'a\ufffdb\ufffdc😀')
    assert.equal(storable('\\u0000'), '\\u0000')
  })

  test('over-long names stay short, distinct and their own stored form', ({ assert }) => {
    const [one, other] = ['x'.repeat(500), `${'x'.repeat(500)}y`].map(storedName)
    assert.isAtMost(one.length, 200)
    assert.notEqual(one, other)
    assert.equal(storedName(one), one)
    assert.isAtMost(storedFold('\ufdfa'.repeat(200)).length, 255)
  })

  test('makes whole numbers of what columns cannot hold', ({ assert }) => {
    assert.equal(storableNumber(1.6), 2)
    assert.equal(storableNumber(2 ** 40, 32), 2 ** 31 - 1)
    assert.isNull(storableNumber(Number.NaN))
    assert.isNull(storableNumber(Infinity))
  })
})
