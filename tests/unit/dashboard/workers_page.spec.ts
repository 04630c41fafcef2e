import { test } from '@japa/runner'
import {
  workerItem,
  workerJson,
  workersJson,
  workersPage,
} from '../../../src/dashboard/presenters/workers_page.ts'
import { NOW } from '../../browser/stage/samples.ts'
import { CONTEXT, worker } from '../../browser/stage/worker_samples.ts'

test.group('Workers page', () => {
  test('a worker is suspect after 30 s without a report, whatever it said last', ({ assert }) => {
    const at = (age: number, state: 'active' | 'stopping' = 'active') =>
      workerItem(worker(1, { age, state }), CONTEXT)
    assert.deepInclude(at(30_000), { state: 'active', mark: 'completed' })
    assert.deepInclude(at(30_001), { state: 'suspect', mark: 'suspect' })
    assert.deepInclude(at(30_001, 'stopping'), { state: 'suspect', ageText: '30.0 s' })
    assert.equal(workerJson(worker(1, { age: 30_001 })).state, 'suspect')
  })

  test('offers what changes its state, and nothing to whoever may not or when it ends', ({
    assert,
  }) => {
    const offered = (item: ReturnType<typeof workerItem>) => [
      item.turn.name,
      item.turn.allowed,
      item.stop.allowed,
      item.stop.reason,
    ]
    assert.deepEqual(offered(workerItem(worker(1), CONTEXT)), ['quiet', true, true, null])
    const quiet = workerItem(worker(1, { state: 'quiet' }), CONTEXT)
    assert.deepEqual(offered(quiet), ['resume', true, true, null])
    assert.equal(quiet.turn.url, '/admin/queue/workers/proc-eu-1%3A4101%3A0a1b2c31/resume')
    const ends = workerItem(worker(1, { state: 'stopping' }), CONTEXT)
    assert.deepEqual(offered(ends), ['quiet', false, false, 'The worker is ending'])
    const other = workerItem(worker(1), { ...CONTEXT, mayManage: () => false })
    assert.isFalse(other.stop.allowed)
    assert.match(other.stop.reason!, /may not act/)
  })

  test('names its jobs, oldest first, and counts those that do not fit', ({ assert }) => {
    const { jobs, moreJobs, busy } = workersPage([worker(5)], [], CONTEXT).workers[0]
    assert.deepEqual(
      jobs.map(({ duration }) => duration),
      ['20.0 s', '16.0 s', '12.0 s']
    )
    assert.deepEqual([moreJobs, busy], [2, '5 of 10'])
    assert.equal(jobs[0].url, `/admin/queue/jobs/${jobs[0].id}`)
    assert.lengthOf(workerItem(worker(5), CONTEXT).jobs, 5)
  })

  test('tells which of its jobs ignore their signal', ({ assert }) => {
    const { running } = worker(2)
    const one = worker(2, { running: [{ ...running[0], signalIgnored: true }, running[1]] })
    const told = (jobs: { id: string; signalIgnored: boolean }[]) =>
      jobs.filter(({ signalIgnored }) => signalIgnored).map(({ id }) => id)
    assert.deepEqual(told(workerItem(one, CONTEXT).jobs), [running[0].id])
    assert.deepEqual(told(workerJson(one).running), [running[0].id])
  })

  test('counts as busy only what those that still report have, as the dashboard does', ({
    assert,
  }) => {
    const summary = (...ages: number[]) =>
      workersPage(
        ages.map((age, index) => worker(index + 1, { age })),
        [],
        CONTEXT
      ).summary
    assert.equal(summary(), '')
    assert.equal(summary(1_000, 1_000), '2 processes, 3 of 20 busy')
    assert.equal(summary(1_000, 30_001), '2 processes, 1 silent, 1 of 10 busy')
    assert.equal(summary(30_001), '1 process, 1 silent')
  })

  test('says so when workers run different versions', ({ assert }) => {
    const same = workersPage([worker(1), worker(2)], [], CONTEXT)
    assert.deepEqual(same.versions, [])
    const mixed = [worker(1, { version: '1.3.9' }), worker(2), worker(3)]
    assert.deepEqual(workersPage(mixed, [], CONTEXT).versions, [
      { version: '1.4.0', workers: '2 processes' },
      { version: '1.3.9', workers: '1 process' },
    ])
  })

  test('tells removals of the last day, and in JSON how many there ever were', ({ assert }) => {
    const removal = (ago: number, number: number) => ({
      id: `host:${number}:0`,
      at: NOW - ago,
      silent: 301_000,
      number,
    })
    const removals = [removal(60_000, 12), removal(90_000_000, 11)]
    const { removed, known } = workersPage([], removals, CONTEXT)
    assert.deepEqual(
      removed.map(({ id, silent }) => [id, silent]),
      [['host:12:0', '5 min 01 s']]
    )
    assert.isTrue(known)
    assert.isFalse(workersPage(null, [], CONTEXT).known)
    const json = workersJson([worker(1)], removals)
    assert.equal(json.removed.count, 12)
    assert.equal(json.removed.last[0].at, new Date(NOW - 60_000).toISOString())
    assert.equal(workersJson([], []).removed.count, 0)
  })
})
