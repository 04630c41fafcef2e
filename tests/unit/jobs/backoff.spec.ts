import { test } from '@japa/runner'
import { backoffDelay, DEFAULT_BACKOFF, type ResolvedBackoff } from '../../../src/jobs/backoff.ts'

const exponential: ResolvedBackoff = { type: 'exponential', delay: 1_000 }
const never = () => 0
/** As close to 1 as `Math.random` comes. */
const most = () => 1 - Number.EPSILON

const delays = (backoff: ResolvedBackoff, failed: number[], random = never) =>
  failed.map((attempts) => backoffDelay(backoff, attempts, random))

test.group('Backoff', () => {
  test('doubles with each failed attempt, or stays', ({ assert }) => {
    assert.deepEqual(delays(exponential, [1, 2, 3, 4, 11]), [1_000, 2_000, 4_000, 8_000, 1_024_000])
    assert.deepEqual(delays({ type: 'fixed', delay: 700 }, [1, 2, 9]), [700, 700, 700])
  })

  test('never exceeds its maximum, nor what a number holds, however often a job failed', ({
    assert,
  }) => {
    assert.deepEqual(delays({ ...exponential, max: 5_000 }, [3, 4, 1_000]), [4_000, 5_000, 5_000])
    const [huge] = delays(exponential, [100_000])
    assert.isTrue(Number.isSafeInteger(huge))
    assert.isAbove(huge, 0)
    assert.deepEqual(delays({ ...exponential, delay: 0 }, [1, 100_000]), [0, 0])
  })

  test('takes off a random share, up to the jitter and never more', ({ assert }) => {
    const jittery = { ...exponential, jitter: 0.5 }
    assert.deepEqual(delays(jittery, [1, 3], never), [1_000, 4_000])
    assert.deepEqual(delays(jittery, [1, 3], most), [500, 2_000])
    assert.equal(
      backoffDelay(jittery, 1, () => 0.5),
      750
    )
    assert.deepEqual(delays({ ...exponential, jitter: 1 }, [5], most), [0])
    assert.deepEqual(delays(exponential, [1], most), [1_000])
  })

  test('spreads jobs that failed together, by default too', ({ assert }) => {
    const spread = Array.from({ length: 1_000 }, () => backoffDelay(DEFAULT_BACKOFF, 3))
    assert.isAtMost(Math.max(...spread), 4_000)
    assert.isAtLeast(Math.min(...spread), 2_000)
    assert.isAbove(new Set(spread).size, 100)
    assert.isAbove(Math.max(...spread) - Math.min(...spread), 1_000)
    assert.equal(backoffDelay(DEFAULT_BACKOFF, 60, never), DEFAULT_BACKOFF.max)
  })
})
