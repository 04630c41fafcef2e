import { test } from '@japa/runner'
import { Conditions } from '../../../src/alerts/conditions.ts'
import { failureRates, oldestPending } from '../../../src/alerts/record_readings.ts'
import { span } from '../../../src/alerts/words.ts'

const SETTINGS = { threshold: 10, clear: 5, for: 100, samples: 2 }

const reading = (value: number, sample: number) => ({ subject: 'a|b', value, text: '', sample })

test.group('Conditions of alerts', () => {
  test('hold for their time and in that many samples', ({ assert }) => {
    const conditions = new Conditions()
    const look = (value: number, sample: number, now: number) =>
      conditions.mustOpen('cpu', reading(value, sample), SETTINGS, now)
    assert.isFalse(look(10, 0, 0))
    assert.isFalse(look(10, 10, 200), 'the same sample')
    assert.isTrue(look(10, 10_000, 300))
    assert.isFalse(look(9, 20_000, 400))
    assert.isFalse(look(10, 30_000, 500), 'begins anew')
    assert.isTrue(look(10, 40_000, 600))
  })

  test('begin anew when the subject was gone in between, or the clock was set back', ({
    assert,
  }) => {
    const conditions = new Conditions()
    const settings = { ...SETTINGS, samples: 1 }
    const look = (now: number) => conditions.mustOpen('cpu', reading(10, now), settings, now)
    assert.isFalse(look(0))
    conditions.keep('memory', new Set())
    conditions.keep('cpu', new Set(['a|b']))
    assert.isTrue(look(100))
    conditions.keep('cpu', new Set())
    assert.isFalse(look(200))
    assert.isFalse(look(150))
    assert.isTrue(look(250))
  })
})

test.group('Waiting jobs', () => {
  test('have waited since they last became pending, not since they were created', async ({
    assert,
  }) => {
    const HOUR = 3_600_000
    const now = 100 * HOUR
    const jobs: Record<string, { createdAt: number; events: { kind: string; at: number }[] }> = {
      restarted: {
        createdAt: now - 9 * HOUR,
        events: [
          { kind: 'added', at: now - 9 * HOUR },
          { kind: 'failed', at: now - 8 * HOUR },
          { kind: 'restarted', at: now - 1_000 },
        ],
      },
      delayed: {
        createdAt: now - 8 * HOUR,
        events: [
          { kind: 'added', at: now - 8 * HOUR },
          { kind: 'pending', at: now - 2 * HOUR },
        ],
      },
      young: { createdAt: now - 60_000, events: [] },
    }
    const asked: string[] = []
    const reader = {
      page: async () => ({
        rows: Object.entries(jobs).map(([id, { createdAt }]) => ({ id, createdAt, queue: 'q' })),
      }),
      find: async (id: string) => (asked.push(id), jobs[id]),
    }
    const db = { dialect: 'sqlite', all: async () => [{ least: null }] }
    const depths = { q: { pending: 3, paused: true }, empty: { pending: 0, paused: false } }
    const view = { depths, now } as never
    const [one, empty] = await oldestPending({ reader, db } as never, view, HOUR)
    assert.equal(one.value, 2 * HOUR)
    assert.equal(one.text, 'A job in queue "q", which is paused, has been pending for 2 h')
    assert.equal(empty.value, 0)
    assert.deepEqual(asked, ['restarted', 'delayed'])
  })

  test('are told of in words', ({ assert }) => {
    assert.deepEqual(
      [0, 999, 59_999, 60_000, 90_061, 3_600_000, 5_400_000, 100_000_000].map(span),
      ['0 ms', '999 ms', '59 s', '1 min', '1 min 30 s', '1 h', '1 h 30 min', '1 d 3 h']
    )
  })
})

test.group('Failing jobs', () => {
  test('of which there are a little too few neither open an alert nor close it', async ({
    assert,
  }) => {
    const value = async (failed: number, completed: number, clear = 25) => {
      const metrics = { totals: async () => new Map([['q', { failed, completed }]]) }
      const settings = { threshold: 50, clear, window: 600_000, minimum: 20 }
      const [found] = await failureRates({ metrics } as never, 0, settings)
      return found.value
    }
    assert.equal(await value(20, 0), 100)
    assert.equal(await value(19, 0), 25)
    assert.equal(await value(10, 0), 25)
    assert.equal(await value(2, 17), (2 / 19) * 100)
    assert.equal(await value(9, 0), 0)
    assert.equal(await value(19, 0, 50), 0)
  })
})
