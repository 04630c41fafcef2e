import { test } from '@japa/runner'
import { stateOf, troubleOf } from '../../../src/dashboard/presenters/schedule_json.ts'
import { calendar, runItem } from '../../../src/dashboard/presenters/schedules_page.ts'
import type { Schedule, ScheduleRun } from '../../../src/schedule_types.ts'

function schedule(changes: Partial<Schedule>): Schedule {
  const timing = { cron: '0 3 * * *', zone: 'Europe/Berlin', every: null }
  const state = { paused: false, withdrawn: false, origin: 'page' }
  return { ...timing, ...state, ...changes } as Schedule
}

test.group('A schedule', () => {
  test('that cannot be read is not active, and says how it is mended', ({ assert }) => {
    const unreadable = [
      { zone: 'Europe/Atlantis' },
      { cron: '61 * * * *' },
      { cron: null, every: 0 },
    ]
    for (const changes of unreadable) {
      assert.equal(stateOf(schedule(changes)), 'cannot be read')
      assert.equal(stateOf(schedule({ ...changes, paused: true })), 'cannot be read')
      assert.match(troubleOf(schedule(changes))!, /makes no runs: .+\. Edit it, or delete it$/)
      assert.match(troubleOf(schedule({ ...changes, origin: 'code' }))!, /in the code/)
    }
    assert.equal(stateOf(schedule({})), 'active')
    assert.isNull(troubleOf(schedule({ paused: true })))
    assert.equal(stateOf(schedule({ zone: 'x', withdrawn: true })), 'not in code')
  })
  test('leads to the jobs of its runs while they have records', ({ assert }) => {
    const run = { seq: 1, due: 5, generation: 1, kind: 'planned', jobId: 'j', madeAt: 1 } as const
    const context = {
      urls: { job: (id: string) => `/jobs/${id}` },
      clock: { now: 9, moment: () => ({}), maybe: () => null },
    } as never
    const job = { id: 'j', status: 'completed', error: null, startedAt: 5 } as never
    assert.equal(runItem(run satisfies ScheduleRun, job, context).url, '/jobs/j')
    const gone = runItem(run, undefined, context)
    assert.deepEqual([gone.url, gone.word, gone.detail], [null, 'made', 'no record'])
  })
  test('counts no run as left out whose record has been cleaned up', ({ assert }) => {
    const day = 86_400_000
    const now = Date.parse('2026-11-25T12:00:00Z')
    const due = (ago: number) => Date.parse('2026-11-25T02:00:00Z') - ago * day
    const run = (ago: number) => ({
      ...{ seq: 1, due: due(ago), generation: 1, jobId: `j${ago}`, madeAt: 1 },
      kind: 'planned' as const,
    })
    const job = { startedAt: due(1), status: 'completed', error: null } as never
    const runs = [{ run: run(1), job }, ...[2, 3].map((ago) => ({ run: run(ago), job: undefined }))]
    const clock = {
      now,
      moment: (at: number) => ({ exact: new Date(at).toISOString() }),
    } as never
    const made = schedule({ changedAt: due(3) - 1 })
    assert.deepEqual(
      calendar(made, runs, clock).days.map(({ label, text, mark }) => [label, text, mark]),
      [
        ['11-24', '1 of 1', 'completed'],
        ['11-25', '0 of 1', 'suspect'],
      ]
    )
  })
})
