import { test } from '@japa/runner'
import { BatchSize } from '../../../src/cleanup/batch_size.ts'

test.group('Batch size', () => {
  test('grows while transactions are short, up to its bound', ({ assert }) => {
    const size = new BatchSize()
    for (let round = 0; round < 50; round++) size.measured(size.weight, 1)
    assert.equal(size.weight, 10_000)
  })

  test('shrinks at once, in proportion, when one was too long', ({ assert }) => {
    const size = new BatchSize(1_000)
    size.measured(1_000, 100)
    assert.equal(size.weight, 250)
    size.measured(10, 10_000)
    assert.equal(size.weight, 10)
  })

  test('learns nothing from a batch that was not full', ({ assert }) => {
    const size = new BatchSize(1_000)
    size.measured(5, 1)
    assert.equal(size.weight, 1_000)
  })

  test('settles where a transaction takes what it is meant to take', ({ assert }) => {
    const size = new BatchSize()
    for (let round = 0; round < 100; round++) size.measured(size.weight, 3 + size.weight / 40)
    assert.approximately(3 + size.weight / 40, 25, 4)
  })
})
