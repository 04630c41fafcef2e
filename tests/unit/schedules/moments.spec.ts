import { test } from '@japa/runner'
import { readTiming } from '../../../src/cron/timing.ts'
import type { TimingInput } from '../../../src/cron/types.ts'
import { planMoments } from '../../../src/schedules/moments.ts'
import type { Missed } from '../../../src/schedule_types.ts'

/** What is planned at a moment, after all was away since another; the run of that one had ended. */
function afterOutage(input: TimingInput, from: string, to: string, missed: Missed) {
  const plannedAt = Date.parse(from)
  let asked = 0
  const timing = readTiming(input)
  const counted = {
    words: timing.words,
    often: timing.often,
    next: (after: number) => {
      asked++
      return timing.next(after)
    },
  }
  const last = { state: 'completed', claimedAt: plannedAt } as const
  const plan = planMoments(counted, { plannedAt, missed }, Date.parse(to), last)
  const text = (moment: number) => new Date(moment).toISOString().replace('.000Z', 'Z')
  return { make: plan.make.map(text), missed: plan.missed.map(text), asked }
}

test.group('Moments that were missed', () => {
  const outages: [cron: string, from: string, to: string, newest: string, next: string][] = [
    ['*/5 9-17 * * 1-5', '2026-11-27T12:00Z', '2026-11-30T08:00Z', '27T17:55', '30T09:00'],
    ['* * 3 * * *', '2026-11-20T03:59:30Z', '2026-11-29T12:00Z', '29T03:59:59', '30T03:00'],
    ['0,1 0 1 * *', '2026-06-01T00:00Z', '2026-11-30T12:00Z', '01T00:01', '01T00:00'],
  ]
  for (const [cron, from, to, newest, next] of outages) {
    test(`are made up for by the newest, however long ago that was: ${cron}`, ({ assert }) => {
      const once = afterOutage({ cron }, from, to, 'once')
      assert.lengthOf(once.make, 2)
      assert.include(once.make[0], newest)
      assert.include(once.make[1], next)
      const skipped = afterOutage({ cron }, from, to, 'skip')
      assert.deepEqual(skipped.make, once.make.slice(1))
      assert.include(skipped.missed.at(-1)!, newest)
      assert.isTrue(once.missed.every((moment) => moment < once.make[0]))
    })
  }

  test('are noted up to a hundred, in few steps after a year', ({ assert }) => {
    const { make, missed, asked } = afterOutage(
      { every: '1s' },
      '2025-11-29T00:00Z',
      '2026-11-29T00:00Z',
      'skip'
    )
    assert.lengthOf(missed, 100)
    assert.isBelow(Date.parse(make[0]) - Date.parse(missed.at(-1)!), 60_000)
    assert.isBelow(asked, 1_000)
  })

  test('are all noted where they come in groups', ({ assert }) => {
    const groups = { cron: '0,1 9 * * *' }
    const { missed } = afterOutage(groups, '2026-11-20T12:00Z', '2026-11-25T12:00Z', 'skip')
    assert.lengthOf(missed, 10)
  })

  test('cost little where the first of them came before a rest', ({ assert }) => {
    const rests = { cron: '* * 8-17 * * *' }
    const { missed, asked } = afterOutage(
      rests,
      '2026-01-02T17:59:58Z',
      '2026-11-25T12:00Z',
      'skip'
    )
    assert.lengthOf(missed, 100)
    assert.equal(missed.at(-1), '2026-11-25T11:59:49Z')
    assert.isBelow(asked, 2_000)
  })
})
