import { test } from '@japa/runner'
import { versionOf } from '../../../src/mirror/entries.ts'
import { blank } from './memory_writer.ts'
import { ACTIVE, ADDED, KEY, fold } from './folding.ts'

test.group('Mirror | fold', () => {
  test('of a job that waits for others keeps for which, and why it did not run', ({ assert }) => {
    const other = '0192f0c0-0000-7000-8000-00000000000'
    const waitFor = [`cmail:${other}1`, `rdocs:${other}2`, 'x:1', 7, 'c:', 'cmail:']
    const { job, out, kinds } = fold([
      { ...ADDED, opts: JSON.stringify({ qd: { waitFor } }) },
      { event: 'waits', edges: JSON.stringify([`smail:${other}3`]) },
      { event: 'waits', edges: '{' },
      { event: 'waiting-children' },
      { event: 'cancelled', code: 'AWAITED_FAILED', reason: 'it waited', run: '1' },
    ])
    assert.deepEqual(
      out.edges.map(({ edges }) => edges),
      [
        [
          { id: `${other}1`, onFailure: 'cancel' },
          { id: `${other}2`, onFailure: 'run' },
          { id: `${other}3`, onFailure: 'skip' },
        ],
      ]
    )
    assert.containsSubset(job, {
      status: 'cancelled',
      errorCode: 'AWAITED_FAILED',
      error: 'it waited',
    })
    assert.deepEqual(kinds, ['added', 'blocked', 'cancelled'])
  })

  test('tells of checkpoints in short, the newest of the run alone', ({ assert }) => {
    const { job, out, kinds } = fold([
      ADDED,
      ACTIVE,
      { event: 'checkpoint', ats: '1', cp: '1 20 1700000000000 page of 7' },
      { event: 'checkpoint', ats: '1', cp: 'nonsense' },
      { event: 'checkpoint', ats: '1', cp: '2 30 1700000000001 a: b' },
      { event: 'checkpoint', ats: '1' },
    ])
    const newest = { run: 1, count: 2, bytes: 30, newest: 'a: b', at: 1_700_000_000_001 }
    assert.deepEqual(out.checkpoints, [{ job, ...newest }])
    assert.deepEqual(kinds, ['added', 'running'])
  })

  test('follows a job from its dispatch to its end', ({ assert }) => {
    const { job, out, kinds } = fold([
      {
        ...ADDED,
        opts: '{"attempts":3,"priority":2,"qd":{"user":"7","tags":["a","b"],"by":"me"}}',
      },
      ACTIVE,
      {
        event: 'progress',
        data: '{"percent":40,"stage":"Parsing","done":4,"total":10,"unit":"pages"}',
        ats: '1',
      },
      { event: 'log', ats: '1', lines: '[[3,30,"line"]]' },
      { event: 'completed', returnvalue: '{"b":2}', ats: '1' },
    ])
    assert.containSubset(job, {
      type: 'send',
      status: 'completed',
      attempts: 1,
      maxAttempts: 3,
      priority: 2,
      user: '7',
      worker: 'host:1:x',
      percent: 40,
      stage: 'Parsing',
      createdAt: 1,
      startedAt: 2,
      finishedAt: 5,
      version: versionOf('5-0', 0),
    })
    assert.deepEqual(kinds, ['added', 'running', 'stage', 'completed'])
    assert.containSubset(out.bodies, [{ payload: '{"a":1}', result: '{"b":2}' }])
    assert.deepEqual(out.tags[0].tags, ['a', 'b'])
    assert.deepEqual(out.logs[0].lines, [[3, 30, 'line']])
    assert.containSubset(out.attempts, [
      { attempt: 1, outcome: 'completed', startedAt: 2, finishedAt: 5 },
    ])
  })

  test('shows a retry as scheduled, with the attempt that failed', ({ assert }) => {
    const { job, out } = fold([
      ADDED,
      ACTIVE,
      { event: 'delayed', delay: '9000', ats: '1', err: '[E_X] boom', stack: 'Error: boom\n at x' },
    ])
    assert.containSubset(job, { status: 'scheduled', dueAt: 9000, attempts: 1 })
    assert.containSubset(out.attempts, [
      {
        attempt: 1,
        outcome: 'failed',
        errorCode: 'E_X',
        error: 'boom',
        stack: 'Error: boom\n at x',
      },
    ])
  })

  test('lets nothing but a restart leave a terminal status', ({ assert }) => {
    const end = fold([ADDED, ACTIVE, { event: 'failed', failedReason: 'first', ats: '1' }]).job
    const { job, kinds } = fold(
      [
        { event: 'completed', returnvalue: '1', ats: '1' },
        { event: 'progress', data: '{"percent":90}', ats: '1' },
      ],
      end,
      10
    )
    assert.containSubset(job, { status: 'failed', error: 'first', percent: 0 })
    assert.deepEqual(kinds, ['refused'])
  })

  test('opens the next run on restart and keeps how the last one ended', ({ assert }) => {
    const end = fold([ADDED, ACTIVE, { event: 'failed', failedReason: 'first', ats: '1' }]).job
    end.seq = 1
    const { job, out } = fold(
      [{ event: 'restarted', run: '2', by: 'ann', prev: 'failed' }, ACTIVE],
      end,
      10
    )
    assert.containSubset(job, {
      status: 'running',
      run: 2,
      attempts: 1,
      error: null,
      finishedAt: null,
      startedAt: 11,
    })
    assert.containSubset(out.runs, [{ run: 1, status: 'failed', error: 'first', finishedAt: 3 }])
    assert.containSubset(out.bodies, [{ result: null }])
    assert.containSubset(out.attempts, [{ run: 2, attempt: 1 }])
  })

  test('shows a running job as cancelled and stopping until its code has returned', ({
    assert,
  }) => {
    const asked = fold([ADDED, ACTIVE, { event: 'cancel-requested', by: 'ann', ats: '1' }]).job
    assert.containSubset(asked, {
      status: 'cancelled',
      stopping: true,
      cancelAt: 3,
      errorCode: 'CANCELLED',
    })
    const { job, kinds } = fold(
      [{ event: 'failed', failedReason: '[CANCELLED] by ann', ats: '1', cancelled: '1' }],
      asked,
      10
    )
    assert.containSubset(job, { status: 'cancelled', stopping: false, finishedAt: 10 })
    assert.deepEqual(kinds, ['stopped'])
  })

  test('tells of an error that has no message', ({ assert }) => {
    for (const failedReason of ['', ' ', '[BROKEN] ']) {
      const { job } = fold([ADDED, ACTIVE, { event: 'failed', failedReason }])
      assert.equal(job.error, 'Failed without a message')
    }
  })

  test('a job that nobody cancelled has failed, whatever code its error carries', ({ assert }) => {
    const { job } = fold([
      ADDED,
      ACTIVE,
      { event: 'failed', failedReason: '[CANCELLED] x', ats: '1' },
    ])
    assert.containSubset(job, {
      status: 'failed',
      errorCode: 'CANCELLED',
      error: 'x',
      cancelAt: null,
    })
  })

  test('passes over entries that the record contains', ({ assert }) => {
    const job = fold([ADDED, ACTIVE]).job
    const { out } = fold([ADDED, ACTIVE], job)
    assert.lengthOf(out.jobs, 0)
  })

  test('counts an attempt as lost when the next one starts without a word', ({ assert }) => {
    const { out } = fold([ADDED, ACTIVE, { ...ACTIVE, ats: '2' }])
    assert.containSubset(out.attempts, [
      { attempt: 1, outcome: 'lost' },
      { attempt: 2, outcome: 'running' },
    ])
  })

  test('knows no end of a run that Redis had forgotten', ({ assert }) => {
    for (const before of [[ADDED], [ADDED, ACTIVE]]) {
      const { job, out } = fold([...before, { event: 'restarted', run: '2', prev: 'forgotten' }])
      assert.containSubset(job, { status: 'pending', run: 2 })
      assert.containSubset(out.runs, [{ run: 1, status: 'failed', errorCode: 'LOST_IN_REDIS' }])
    }
  })

  test('counts an attempt as lost when a later one ends', ({ assert }) => {
    const { out, job } = fold([ADDED, ACTIVE, { event: 'completed', returnvalue: '1', ats: '3' }])
    assert.equal(job.attempts, 3)
    assert.containSubset(out.attempts, [
      { attempt: 1, outcome: 'lost' },
      { attempt: 3, outcome: 'completed' },
    ])
  })

  test('leaves no attempt running when the entry that ended it is missing', ({ assert }) => {
    const waiting = fold([ADDED, ACTIVE, { event: 'waiting', prev: 'delayed' }])
    assert.containSubset(waiting.out.attempts, [{ attempt: 1, outcome: 'lost' }])
    const cancelled = fold([ADDED, ACTIVE, { event: 'cancelled', by: 'ann' }])
    assert.containSubset(cancelled.out.attempts, [{ attempt: 1, outcome: 'lost' }])
  })

  test('takes a report as proof that the attempt runs', ({ assert }) => {
    const { job } = fold([ADDED, { event: 'progress', data: '{"percent":5}', ats: '2' }])
    assert.containSubset(job, { status: 'running', attempts: 2, percent: 5 })
  })

  test('takes the moment of creation from the producer, unless its clock is off', ({ assert }) => {
    const at = 1_700_000_000_000
    const dispatch = (timestamp: unknown) =>
      fold(
        [
          { ...ADDED, opts: JSON.stringify({ timestamp, delay: 60_000 }) },
          { event: 'delayed', delay: String(Number(timestamp) + 60_000) },
        ],
        blank(KEY),
        at
      ).job
    for (const timestamp of [at - 12, at + 3, at - 10_000, at + 10_000]) {
      const { createdAt, dueAt } = dispatch(timestamp)
      assert.equal(createdAt, timestamp)
      assert.equal(dueAt! - createdAt, 60_000)
    }
    /** Such a clock is off, or the producer dates back: when the job is due Redis decides all the same. */
    for (const timestamp of [at - 10_001, at + 3_600_000, 1]) {
      assert.containSubset(dispatch(timestamp), { createdAt: at, dueAt: timestamp + 60_000 })
    }
    for (const timestamp of ['soon', null, -5, 1.5, {}]) {
      assert.equal(dispatch(timestamp).createdAt, at)
    }
  })

  test('keeps the moment of creation through retries and restarts', ({ assert }) => {
    const at = 1_700_000_000_000
    const added = { ...ADDED, opts: JSON.stringify({ timestamp: at - 5 }) }
    const { job } = fold(
      [added, ACTIVE, { event: 'failed', failedReason: 'x', ats: '1' }],
      blank(KEY),
      at
    )
    fold([{ ...added, run: '2', opts: JSON.stringify({ timestamp: at + 50 }) }], job, at + 100)
    assert.containSubset(job, { run: 2, status: 'pending', createdAt: at - 5 })
  })

  test('a job that returned nothing has no result', ({ assert }) => {
    const { out } = fold([ADDED, ACTIVE, { event: 'completed', returnvalue: 'null', ats: '1' }])
    assert.notProperty(out.bodies[0], 'result')
  })

  test('keeps a job that was removed while it waited as cancelled', ({ assert }) => {
    const { job } = fold([ADDED, { event: 'removed', prev: 'waiting' }])
    assert.containSubset(job, { status: 'cancelled', hasTransport: false, finishedAt: 2 })
  })

  test('ends a removed job as its transport had ended', ({ assert }) => {
    const { job } = fold([ADDED, ACTIVE, { event: 'removed', prev: 'completed' }])
    assert.containSubset(job, { status: 'completed', hasTransport: false })
  })

  test('tells a lost worker from a failed attempt and from a job handed back', ({ assert }) => {
    const lost = fold([
      ADDED,
      ACTIVE,
      { event: 'waiting', prev: 'active', ats: '1', lost: '1' },
      { event: 'stalled' },
    ])
    const back = fold([ADDED, ACTIVE, { event: 'waiting', prev: 'active', ats: '1' }])
    assert.deepEqual(lost.kinds, ['added', 'running', 'worker lost', 'pending'])
    assert.equal(lost.out.attempts[0].outcome, 'lost')
    assert.equal(back.out.attempts[0].outcome, 'handed back')
  })

  test('survives fields of any content', ({ assert }) => {
    const { job } = fold([
      { event: 'added', name: '\0', data: 'no json', opts: '[[[' },
      { event: 'active', ats: '-4' },
      { event: 'progress', data: '{"percent":"NaN"' },
      { event: 'log', lines: '{"a":1}' },
      { event: 'delayed', delay: 'soon' },
      { event: 'failed' },
    ])
    assert.equal(job.status, 'failed')
  })

  test('notes that a signal was ignored, until the code returns', ({ assert }) => {
    const cancel = { event: 'cancel-requested', by: 'ann', ats: '1' }
    const ignored = { event: 'signal-ignored', ats: '1' }
    const { job } = fold([ADDED, ACTIVE, cancel, ignored])
    assert.deepInclude(job, { status: 'cancelled', stopping: true, signalIgnored: true })
    const { job: ended, kinds } = fold([
      ADDED,
      ACTIVE,
      cancel,
      ignored,
      { event: 'failed', failedReason: '[CANCELLED] Cancelled by ann', ats: '1', cancelled: '1' },
      ignored,
    ])
    assert.deepInclude(ended, { status: 'cancelled', stopping: false })
    assert.deepEqual(kinds, ['added', 'running', 'cancelled', 'signal ignored', 'stopped'])

    const timedOut = fold([
      ADDED,
      ACTIVE,
      ignored,
      { event: 'failed', failedReason: '[TIMED_OUT] too long', ats: '1' },
    ])
    assert.deepInclude(timedOut.job, { status: 'failed', stopping: false, signalIgnored: false })
    assert.include(timedOut.kinds, 'signal ignored')
  })
})
