import { test } from '@japa/runner'
import { Sketch } from '../../../src/records/metrics/sketch.ts'

/** Numbers that look like chance and are the same every time. */
function* chances(seed: number): Generator<number> {
  let state = seed
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

/** Durations of a millisecond to some weeks, most of them short. */
function durations(count: number, seed: number): number[] {
  const chance = chances(seed)
  return Array.from({ length: count }, () =>
    Math.floor(10 ** (chance.next().value! * 9.3) * chance.next().value!)
  )
}

function sketchOf(values: number[]): Sketch {
  const sketch = new Sketch()
  for (const value of values) sketch.add(value)
  return sketch
}

function exact(values: number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.max(1, Math.ceil(share * values.length)) - 1]
}

test.group('Sketch', () => {
  test('tells quantiles within 2 % of the exact ones', ({ assert }) => {
    for (let seed = 1; seed <= 60; seed++) {
      const values = durations(1 + seed * 17, seed)
      const sketch = sketchOf(values)
      for (const share of [0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1]) {
        const right = exact(values, share)
        const told = sketch.quantile(share)!
        assert.isAtMost(Math.abs(told - right), right * 0.02, `${share} of seed ${seed}`)
      }
    }
  })

  test('is exact up to 50 ms', ({ assert }) => {
    for (let value = 0; value <= 50; value++) {
      assert.equal(sketchOf([value]).quantile(0.5), value)
    }
  })

  test('merged from parts in any order is the sketch of all values', ({ assert }) => {
    for (let seed = 1; seed <= 40; seed++) {
      const values = durations(400, seed)
      const parts = Array.from({ length: 1 + (seed % 7) }, () => [] as number[])
      const chance = chances(seed)
      for (const value of values) {
        parts[Math.floor(chance.next().value! * parts.length)].push(value)
      }
      const whole = sketchOf(values)
      const merged = new Sketch()
      for (const part of parts) merged.merge(sketchOf(part))
      const stored = new Sketch()
      for (const part of parts.reverse()) stored.addText(sketchOf(part).toText())
      assert.equal(merged.toText(), whole.toText())
      assert.equal(stored.toText(), whole.toText())
      assert.equal(stored.count, values.length)
    }
  })

  test('has no quantile while it is empty', ({ assert }) => {
    assert.isNull(new Sketch().quantile(0.5))
    assert.isNull(new Sketch().toText())
    assert.isNull(new Sketch().addText(null).merge(new Sketch()).quantile(0.99))
  })

  test('refuses a text that no sketch wrote', ({ assert }) => {
    for (const text of ['x', '1.', '-5.2', '1.0', '1.2 .']) {
      assert.throws(() => new Sketch().addText(text), /is no part of a sketch/)
    }
  })
})
