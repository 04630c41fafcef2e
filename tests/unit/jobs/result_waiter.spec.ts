import type { JobFailedException } from '#queuedeck'
import { test } from '@japa/runner'
import { type JobEnding, ResultWaiter } from '../../../src/jobs/result_waiter.ts'
import type { ChangeNotice } from '../../../src/types.ts'
import { FakeClock } from './fake_clock.ts'

const DAY = 86_400_000

function setup(first: JobEnding | null | 'missing' | Error | Promise<JobEnding | null> = null) {
  const clock = new FakeClock()
  let ending: typeof first = first
  let looks = 0
  const listeners = new Set<(notice: ChangeNotice) => void>()
  const waiter = new ResultWaiter(
    {
      async endingOf() {
        looks++
        if (ending instanceof Error) throw ending
        return ending
      },
      async subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    clock
  )
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  return {
    clock,
    waiter,
    listeners,
    looks: () => looks,
    end: (value: typeof first) => (ending = value),
    /** Lets time pass in steps, with what waits for it. */
    pass: async (milliseconds: number, step = milliseconds) => {
      for (let passed = 0; passed < milliseconds; passed += step) {
        clock.advance(step)
        await settle()
      }
    },
    settle,
    notify: (id: string, status: ChangeNotice['changed'][0]['status']) => {
      const changed = [{ id, queue: 'q', type: 't', user: null, status }]
      listeners.forEach((listener) =>
        listener({ revision: 1, changed, more: false, progress: [], lag: 0 })
      )
    },
  }
}

test.group('Waiting for a result', () => {
  test('looks once where the job has ended', async ({ assert }) => {
    const { waiter, looks, clock } = setup({ status: 'completed', result: '{"pages":3}' })
    assert.deepEqual(await waiter.wait('a', 'q'), { pages: 3 })
    assert.equal(looks(), 1)
    assert.equal(clock.waiting, 0)
  })

  test('gives a result that is no JSON as the text that it is', async ({ assert }) => {
    const { waiter } = setup({ status: 'completed', result: '{"score": NaN}' })
    assert.equal(await waiter.wait('a', 'q'), '{"score": NaN}')
  })

  test('is told by a notice about the job, and not by others', async ({ assert }) => {
    const { waiter, looks, end, notify, settle, listeners, clock } = setup()
    const result = waiter.wait('a', 'q')
    await settle()
    notify('b', 'completed')
    notify('a', 'running')
    await settle()
    assert.equal(looks(), 1)
    end({ status: 'completed', result: null })
    notify('a', 'completed')
    assert.isNull(await result)
    assert.equal(looks(), 2)
    assert.equal(listeners.size, 0)
    assert.equal(clock.waiting, 0)
  })

  test('finds the end without any notice, looking ever more rarely', async ({ assert }) => {
    const { waiter, looks, end, pass, settle } = setup()
    const result = waiter.wait('a', 'q')
    await settle()
    await pass(60_000, 250)
    assert.isBelow(looks(), 20)
    end({ status: 'completed', result: '1' })
    await pass(5_000, 250)
    assert.equal(await result, 1)
  })

  test('goes on while Redis and SQL are away', async ({ assert }) => {
    const { waiter, end, pass, settle } = setup(new Error('connection refused'))
    const result = waiter.wait('a', 'q')
    await settle()
    await pass(20_000, 250)
    end({ status: 'completed', result: '1' })
    await pass(5_000, 250)
    assert.equal(await result, 1)
  })

  test('waits no longer than it was told where no answer comes at all', async ({ assert }) => {
    const { waiter, end, pass, settle, clock } = setup(new Promise<null>(() => {}))
    let outcome: unknown
    void waiter.wait('a', 'q', 5_000).catch((error) => (outcome = error))
    await settle()
    await pass(5_900, 100)
    assert.isUndefined(outcome)
    await pass(200)
    assert.match((outcome as Error).message, /has not ended within 5000 ms/)
    assert.equal(clock.waiting, 0)
    /** One that just takes its time is waited for. */
    const { promise, resolve } = Promise.withResolvers<JobEnding>()
    end(promise)
    const result = waiter.wait('a', 'q', 0)
    await pass(500)
    resolve({ status: 'completed', result: '1' })
    assert.equal(await result, 1)
  })

  test('throws what a failed or cancelled job says', async ({ assert }) => {
    const { waiter, end } = setup({ status: 'failed', message: 'no disk', code: 'E_DISK' })
    const failed = (await waiter.wait('a', 'q').catch((error) => error)) as JobFailedException
    assert.deepInclude({ ...failed }, { jobId: 'a', jobStatus: 'failed', jobErrorCode: 'E_DISK' })
    assert.equal(failed.message, 'no disk')
    end({ status: 'cancelled', message: 'by anna', code: 'CANCELLED' })
    const cancelled = (await waiter.wait('a', 'q').catch((error) => error)) as JobFailedException
    assert.equal(cancelled.jobStatus, 'cancelled')
  })

  test('waits 40 days, and no longer', async ({ assert }) => {
    const { waiter, pass, settle, clock, listeners } = setup()
    let outcome: unknown
    void waiter.wait('a', 'q', 40 * DAY).catch((error) => (outcome = error))
    await settle()
    await pass(40 * DAY - 1_000, 10 * DAY - 250)
    assert.isUndefined(outcome)
    assert.isAtMost(clock.longestDelay, 2_147_483_647)
    await pass(1_000)
    assert.match((outcome as Error).message, /has not ended within 3456000000 ms/)
    assert.equal(listeners.size, 0)
    assert.equal(clock.waiting, 0)
  })

  test('leaves nothing behind with each look of a long wait', async ({ assert }) => {
    const { waiter, pass, settle, end, looks } = setup()
    const { then } = Promise.prototype
    const listened = new Map<Promise<unknown>, number>()
    Promise.prototype.then = function (this: Promise<unknown>, ...reactions: []) {
      listened.set(this, (listened.get(this) ?? 0) + 1)
      return then.apply(this, reactions)
    } as never
    try {
      const result = waiter.wait('a', 'q', DAY)
      await settle()
      await pass(300_000, 250)
      end({ status: 'completed', result: '1' })
      await pass(5_000, 250)
      assert.equal(await result, 1)
    } finally {
      Promise.prototype.then = then
    }
    assert.isAbove(looks(), 50)
    assert.isBelow(Math.max(...listened.values()), 5)
  })

  test('gives up on a job that nobody knows', async ({ assert }) => {
    const { waiter, pass, settle } = setup('missing')
    let outcome: unknown
    void waiter.wait('a', 'q').catch((error) => (outcome = error))
    await settle()
    await pass(3_000, 250)
    assert.match((outcome as Error).message, /No job "a" is known/)
  })
})
