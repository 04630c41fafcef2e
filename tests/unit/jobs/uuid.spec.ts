import { test } from '@japa/runner'
import { uuidV7 } from '../../../src/jobs/uuid.ts'

test.group('UUID version 7', () => {
  test('grows strictly, also within a millisecond and when the clock goes back', ({ assert }) => {
    const moments = [...Array(9_000).fill(1_800_000_000_000), 1_700_000_000_000, 1_800_000_000_500]
    const ids = moments.map((now) => uuidV7(now))
    assert.deepEqual(ids, [...ids].sort())
    assert.equal(new Set(ids).size, ids.length)
  })

  test('carries version, variant and the moment', ({ assert }) => {
    const moment = 4_000_000_000_123
    const id = uuidV7(moment)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), moment)
  })
})
