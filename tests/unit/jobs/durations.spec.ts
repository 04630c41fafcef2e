import { test } from '@japa/runner'
import { toMilliseconds } from '../../../src/durations.ts'

test.group('Durations', () => {
  test('reads {value}')
    .with([
      { value: 1500, expected: 1500 },
      { value: 0, expected: 0 },
      { value: '500ms', expected: 500 },
      { value: '0s', expected: 0 },
      { value: '0.0 days', expected: 0 },
      { value: '0.5s', expected: 500 },
      { value: '10m', expected: 600_000 },
      { value: '72h', expected: 259_200_000 },
      { value: '60d', expected: 5_184_000_000 },
      { value: '1.5h', expected: 5_400_000 },
    ])
    .run(({ assert }, { value, expected }) => {
      assert.equal(toMilliseconds(value, 'delay'), expected)
    })

  test('refuses {0}, naming value and option')
    .with([
      ['5 bananas'],
      ['0 bananas'],
      [''],
      ['-5m'],
      [-1],
      [Number.NaN],
      [-0.1],
      [2 ** 53],
      ['1e300d'],
      [`${'9'.repeat(30)}d`],
      [Number.POSITIVE_INFINITY],
      [null],
      [{}],
      ['9'.repeat(101)],
    ])
    .run(({ assert }, [value]) => {
      const error = assert.throws.bind(assert)
      error(
        () => toMilliseconds(value as string, 'timeout'),
        /Cannot read ".*" as the duration of "timeout"/s
      )
    })
})
