import { test } from '@japa/runner'
import { stateOf, troubleOf } from '../../../src/dashboard/presenters/schedule_json.ts'
import type { Schedule } from '../../../src/schedule_types.ts'

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
})
