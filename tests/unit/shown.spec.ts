import { test } from '@japa/runner'
import { shown } from '../../src/shown.ts'

test.group('What messages show of a value', () => {
  const deep = (levels: number): unknown => {
    let value: unknown = 1
    for (let level = 0; level < levels; level++) value = [value]
    return value
  }

  for (const [what, value, told] of [
    ['text', 'a b', 'a b'],
    ['long text', 'x'.repeat(50), `${'x'.repeat(19)}…`],
    ['null', null, 'null'],
    ['nothing', undefined, 'nothing'],
    ['a number', 1.5, '1.5'],
    ['an object', { a: { b: 1 } }, 'an object'],
    ['an object without text', { toString: 1 }, 'an object'],
    ['a list of words', ['a', 'b'], 'a,b'],
    ['a list of objects', [{ a: 1 }], 'a list'],
    ['an empty list', [], 'an empty list'],
    ['a list without end', deep(50_000), 'a list'],
    ['what says what it is', new URL('queue://mails'), 'queue://mails'],
  ] as const) {
    test(`tell ${what}`, ({ assert }) => assert.equal(shown(value, 20), told))
  }
})
