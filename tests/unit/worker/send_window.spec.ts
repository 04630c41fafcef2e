import { test } from '@japa/runner'
import { IDLE, LEAST, PRESSED, SendWindow } from '../../../src/worker/send_window.ts'
import { FakeClock } from '../jobs/fake_clock.ts'

/**
 * A window with calls that tell when they leave, and are answered in that order.
 */
function windowOf() {
  const clock = new FakeClock()
  const window = new SendWindow(clock)
  const sent: number[] = []
  const answers: (() => void)[] = []
  let calls = 0
  const call = () => {
    const number = ++calls
    return window.send(() => {
      sent.push(number)
      return new Promise<number>((resolve) => answers.push(() => resolve(number)))
    })
  }
  return {
    window,
    clock,
    sent,
    call,
    calls: (count: number) => Array.from({ length: count }, call),
    async answer(count = 1) {
      for (const answer of answers.splice(0, count)) answer()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

test.group('Send window', () => {
  test('lets a few calls leave at once, and each other one for one that was answered', async ({
    assert,
  }) => {
    const { sent, calls, answer, clock } = windowOf()
    const made = calls(LEAST + 3)
    assert.lengthOf(sent, LEAST)
    await answer()
    assert.lengthOf(sent, LEAST + 1)
    await answer(2)
    assert.deepEqual(sent, upTo(LEAST + 3))
    assert.equal(clock.waiting, 0)
    await answer(LEAST)
    assert.deepEqual(await Promise.all(made), upTo(LEAST + 3))
    calls(LEAST + 1)
    assert.lengthOf(sent, 2 * LEAST + 3)
  })

  test('gives the place of a call that fails to the next one', async ({ assert }) => {
    const { window, sent, calls, clock } = windowOf()
    const failing = Array.from({ length: LEAST }, () =>
      window.send(() => Promise.reject(new Error('no')))
    )
    calls(LEAST + 1)
    for (const call of failing) await assert.rejects(() => call, 'no')
    assert.deepEqual(sent, upTo(LEAST))
    assert.equal(clock.waiting, 1)
  })

  test('holds nothing back any more when calls come faster than they are answered, or are not answered at all', async ({
    assert,
  }) => {
    const { sent, calls, answer, clock } = windowOf()
    calls(100)
    clock.advance(PRESSED - 1)
    await answer()
    assert.lengthOf(sent, LEAST + 1)
    clock.advance(1)
    assert.deepEqual(sent, upTo(100))
    calls(50)
    assert.lengthOf(sent, 150)
    /** Those who end their jobs in the turn of the answers leave no pause. */
    await answer(149)
    calls(50)
    assert.deepEqual(sent, upTo(200))
  })

  test('is not pressed by one burst after the other', async ({ assert }) => {
    const { sent, calls, answer, clock } = windowOf()
    calls(LEAST + 1)
    clock.advance(PRESSED - 1)
    await answer()
    calls(1)
    clock.advance(PRESSED - 1)
    await answer()
    calls(2)
    assert.lengthOf(sent, LEAST + 2)
  })

  test('lets a few calls leave at once again after a pause', async ({ assert }) => {
    const { sent, calls, answer, clock } = windowOf()
    calls(LEAST + 1)
    clock.advance(PRESSED)
    await answer(LEAST + 1)
    clock.advance(IDLE / 2)
    calls(50)
    assert.lengthOf(sent, LEAST + 51)
    await answer(50)
    clock.advance(IDLE)
    calls(50)
    assert.lengthOf(sent, 2 * LEAST + 51)
  })

  test('holds nothing back for good once it is open', async ({ assert }) => {
    const { window, sent, calls, call, answer, clock } = windowOf()
    calls(50)
    window.open()
    void call()
    assert.deepEqual(sent, upTo(51))
    assert.equal(clock.waiting, 0)
    await answer(51)
    clock.advance(IDLE)
    calls(50)
    assert.deepEqual(sent, upTo(101))
  })
})
