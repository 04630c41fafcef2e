import { test } from '@japa/runner'
import { lagOf, type MirrorStatus } from '../../../src/mirror/mirror_status.ts'

const queue = (behind: number) => ({ position: '1-0', behind, audit: null, gap: null })
const status = (lag: number, behind: number[]) =>
  ({ lag, queues: Object.fromEntries(behind.map((ms, n) => [`q${n}`, queue(ms)])) }) as MirrorStatus

test.group('Mirror | how far records are behind', () => {
  test('what is not written counts, where it is older than the last that was', ({ assert }) => {
    assert.equal(lagOf(status(135, [])), 135)
    assert.equal(lagOf(status(135, [0, 0])), 135)
    assert.equal(lagOf(status(135, [0, 52_000])), 52_000)
    assert.equal(lagOf(status(10.251220703125, [0])), 10)
  })
})
