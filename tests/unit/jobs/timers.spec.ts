import { test } from '@japa/runner'
import { after } from '../../../src/time/long_timer.ts'
import { ProgressThrottle } from '../../../src/jobs/progress_throttle.ts'
import type { Progress } from '../../../src/types.ts'
import { FakeClock } from './fake_clock.ts'

const DAY = 86_400_000

test.group('Timers longer than the platform holds', () => {
  test('fires after 60 days, not before, and never asks for more than 2^31 - 1 ms', ({
    assert,
  }) => {
    const clock = new FakeClock()
    let fired = 0
    after(60 * DAY, () => fired++, clock)
    clock.advance(60 * DAY - 1)
    assert.equal(fired, 0)
    clock.advance(1)
    assert.equal(fired, 1)
    assert.isAtMost(clock.longestDelay, 2_147_483_647)
    clock.advance(100 * DAY)
    assert.equal(fired, 1)
  })

  test('stops, also in a later step', ({ assert }) => {
    const clock = new FakeClock()
    let fired = 0
    const stop = after(60 * DAY, () => fired++, clock)
    clock.advance(30 * DAY)
    stop()
    clock.advance(60 * DAY)
    assert.equal(fired, 0)
  })
})

test.group('Progress throttle', () => {
  const setup = (write?: (progress: Progress) => Promise<unknown>) => {
    const clock = new FakeClock()
    const written: [number, number][] = []
    const errors: unknown[] = []
    const throttle = new ProgressThrottle(
      write ??
        (async (progress) => {
          written.push([clock.now(), progress.percent])
        }),
      (error) => errors.push(error),
      clock
    )
    return { clock, written, errors, throttle }
  }

  /** Lets the writes that were started settle. */
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }

  test('writes the first at once, then the newest every 200 ms', async ({ assert }) => {
    const { clock, written, throttle } = setup()
    for (let percent = 0; percent <= 100; percent++) {
      throttle.push({ percent })
      await settle()
      clock.advance(10)
      await settle()
    }
    await throttle.finish()
    assert.deepEqual(written.slice(0, 3), [
      [0, 0],
      [200, 19],
      [400, 39],
    ])
    assert.deepEqual(written.at(-1)![1], 100)
    assert.isAtMost(written.length, 7)
  })

  test('finish writes the last at once and ends it', async ({ assert }) => {
    const { clock, written, throttle } = setup()
    throttle.push({ percent: 1 })
    throttle.push({ percent: 2 })
    throttle.push({ percent: 3 })
    await throttle.finish()
    throttle.push({ percent: 4 })
    clock.advance(1_000)
    await settle()
    assert.deepEqual(
      written.map(([, percent]) => percent),
      [1, 3]
    )
  })

  test('never runs two writes at once', async ({ assert }) => {
    let running = 0
    let most = 0
    let release: () => void = () => {}
    const { clock, throttle } = setup(async () => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => (release = resolve))
      running--
    })
    throttle.push({ percent: 1 })
    await settle()
    throttle.push({ percent: 2 })
    clock.advance(5_000)
    await settle()
    release()
    await settle()
    clock.advance(200)
    await settle()
    release()
    await settle()
    assert.equal(most, 1)
  })

  test('goes on after a write that failed', async ({ assert }) => {
    const percents: number[] = []
    const { errors, throttle } = setup(async ({ percent }) => {
      if (percent === 1) throw new Error('Redis is away')
      percents.push(percent)
    })
    throttle.push({ percent: 1 })
    throttle.push({ percent: 2 })
    await throttle.finish()
    assert.lengthOf(errors, 1)
    assert.deepEqual(percents, [2])
  })

  test('writes nothing any more once dropped', async ({ assert }) => {
    const { clock, written, throttle } = setup()
    throttle.push({ percent: 1 })
    throttle.push({ percent: 2 })
    throttle.drop()
    clock.advance(1_000)
    await throttle.finish()
    assert.lengthOf(written, 1)
  })
})
