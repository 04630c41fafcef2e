import { test } from '@japa/runner'
import {
  cut,
  storable,
  storableNumber,
  storedFold,
  storedName,
} from '../../../src/records/storable.ts'

test.group('Storable values', () => {
  test('replaces NUL and half surrogates visibly and leaves the rest alone', ({ assert }) => {
    assert.equal(storable('a\0b\ud800c😀'), 'a\ufffdb\ufffdc😀')
    assert.equal(storable('\\u0000'), '\\u0000')
  })

  test('cuts at whole characters, with a mark', ({ assert }) => {
    const family = '👨‍👩‍👧‍👦'
    assert.equal(cut('short', 5), 'short')
    assert.equal(cut(family.repeat(3), family.length * 2 + 5), `${family.repeat(2)}…`)
    assert.isTrue(cut(`e${'\u0301'.repeat(9_000)}`, 500).length <= 500)
    assert.isTrue(cut('😀'.repeat(900), 500).isWellFormed())
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
