import { test } from '@japa/runner'
import { IDLE, LEAST, PRESSED, SendWindow } from '../../../src/worker/send_window.ts'

/**
 * A window on a clock that stands still, with calls that tell when they were sent.
 */
function windowOf() {
  const clock = { now: 0 }
  const window = new SendWindow(() => clock.now)
  const sent: number[] = []
  let calls = 0
  const call = () => {
    const number = ++calls
    const turn = window.enter()
    if (turn === undefined) sent.push(number)
    else void turn.then(() => sent.push(number))
  }
  return {
    sent,
    call,
    calls: (count: number) => Array.from({ length: count }, call),
    async answer(count = 1) {
      for (let answered = 0; answered < count; answered++) window.leave()
      await Promise.resolve()
    },
    pass: (milliseconds: number) => (clock.now += milliseconds),
  }
}

test.group('Send window', () => {
  test('lets a few calls leave at once, and each other one for one that was answered', async ({
    assert,
  }) => {
    const { sent, calls, answer } = windowOf()
    calls(LEAST + 3)
    assert.lengthOf(sent, LEAST)
    await answer()
    assert.lengthOf(sent, LEAST + 1)
    await answer(2)
    assert.deepEqual(
      sent,
      Array.from({ length: LEAST + 3 }, (_, index) => index + 1)
    )
    await answer(LEAST)
    calls(LEAST + 1)
    assert.lengthOf(sent, 2 * LEAST + 3)
  })

  test('holds nothing back any more when calls come faster than they are answered', async ({
    assert,
  }) => {
    const { sent, calls, answer, pass } = windowOf()
    calls(100)
    pass(PRESSED - 1)
    await answer()
    assert.lengthOf(sent, LEAST + 1)
    pass(1)
    await answer()
    assert.lengthOf(sent, 100)
    calls(50)
    assert.lengthOf(sent, 150)
    /** Those who end their jobs in the turn of the answers leave no pause. */
    await answer(148)
    calls(50)
    assert.lengthOf(sent, 200)
  })

  test('is not pressed by one burst after the other', async ({ assert }) => {
    const { sent, calls, answer, pass } = windowOf()
    calls(LEAST + 1)
    pass(PRESSED - 1)
    await answer()
    calls(1)
    pass(PRESSED - 1)
    await answer()
    calls(2)
    assert.lengthOf(sent, LEAST + 2)
  })

  test('lets a few calls leave at once again after a pause', async ({ assert }) => {
    const { sent, calls, answer, pass } = windowOf()
    calls(LEAST + 1)
    pass(PRESSED)
    await answer(LEAST + 1)
    pass(IDLE / 2)
    calls(50)
    assert.lengthOf(sent, LEAST + 51)
    await answer(50)
    pass(IDLE)
    calls(50)
    assert.lengthOf(sent, 2 * LEAST + 51)
  })
})
