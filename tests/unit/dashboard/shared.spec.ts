import { test } from '@japa/runner'
import { answeredUnchanged, tagOf } from '../../../src/dashboard/conditional.ts'
import { Shared } from '../../../src/dashboard/shared.ts'
import { waitFor } from '#tests/helpers/wait'

test.group('Shared values', () => {
  test('are made once for all who ask while nothing changes', async ({ assert }) => {
    const shared = new Shared<number>()
    let made = 0
    const ask = (revision: number, stale = 0) =>
      shared.get('list', revision, async () => ++made, stale)
    assert.deepEqual(await Promise.all([ask(1), ask(1), ask(1)]), [1, 1, 1])
    assert.equal(await ask(2), 2)
    assert.equal(await ask(3, 500), 2)
    assert.equal(await ask(3), 3)
    assert.equal(await shared.get('other list', 3, async () => 10), 10)
  })

  test('are kept no longer because the clock of the machine was put back', async ({
    assert,
    cleanup,
  }) => {
    const shared = new Shared<number>()
    const { now } = Date
    cleanup(() => void (Date.now = now))
    await shared.get('list', 1, async () => 1)
    Date.now = () => now() - 3_600_000
    assert.equal(await shared.get('list', 1, async () => 2), 1)
    await waitFor(
      'it to be made anew',
      async () => (await shared.get('list', 1, async () => 2)) === 2
    )
  })

  test('a failure is nobody else’s: the next asks anew', async ({ assert }) => {
    const shared = new Shared<number>()
    const failing = () => Promise.reject(new Error('away'))
    await assert.rejects(() => shared.get('list', 1, failing), 'away')
    assert.equal(await shared.get('list', 1, async () => 7), 7)
  })
})

test.group('Tags of fragments', () => {
  const row = (now: number, text: string, state = 'running') =>
    `<tr data-now="${now}" data-s="${state}"><td><span class="l1" data-elapsed="${now}">${text}</span>` +
    `<time data-moment="5">${text} ago</time></td></tr>`

  test('are the same while only time goes on, and differ with what is shown', ({ assert }) => {
    assert.equal(tagOf(row(1, '2 s')), tagOf(row(2, '3 s')))
    assert.notEqual(tagOf(row(1, '2 s')), tagOf(row(1, '2 s', 'completed')))
    assert.match(tagOf(row(1, '2 s')), /^W\/"[\w-]{22}"$/)
  })

  test('one of several that the client has is enough', ({ assert }) => {
    const ask = (known: string | undefined) => {
      const answer = { status: 200, headers: {} as Record<string, string> }
      const response = {
        header: (name: string, value: string) => void (answer.headers[name] = value),
        status(status: number) {
          answer.status = status
          return this
        },
        send: () => {},
      }
      const ctx = { request: { header: () => known }, response }
      return { unchanged: answeredUnchanged(ctx as never, 'W/"a"'), ...answer }
    }
    assert.deepEqual(ask(undefined), { unchanged: false, status: 200, headers: { etag: 'W/"a"' } })
    assert.isFalse(ask('W/"b"').unchanged)
    assert.deepEqual(ask('W/"b", W/"a"'), {
      unchanged: true,
      status: 304,
      headers: { etag: 'W/"a"' },
    })
  })
})
