import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { wait } from '../../../src/time/wait.ts'

test.group('Waiting', () => {
  test('waits as long as it is told, also for weeks, and no longer than until the signal', async ({
    assert,
  }) => {
    for (const milliseconds of [2 ** 31 - 1, 2 ** 31, 30 * 86_400_000]) {
      const stopping = new AbortController()
      let isOver = false
      const waiting = wait(milliseconds, stopping.signal).then(() => (isOver = true))
      await pause(5)
      assert.isFalse(isOver, String(milliseconds))
      stopping.abort()
      await waiting
    }
    await wait(1)
    await wait(-1)
    await wait(2 ** 31, AbortSignal.abort())
  })
})
