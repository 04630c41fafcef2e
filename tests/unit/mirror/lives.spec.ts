import { test } from '@japa/runner'
import { LOST } from '../../../src/mirror/comparison.ts'
import { concernsJob, versionOf, type EntryFields } from '../../../src/mirror/entries.ts'
import { JobFold } from '../../../src/mirror/fold.ts'
import { Folded, type JobDraft } from '../../../src/mirror/job_draft.ts'
import { repair } from '../../../src/mirror/repair.ts'
import type { StoredJob } from '../../../src/records/writer_types.ts'
import type { TransportFacts } from '../../../src/transport/transport_audit.ts'
import { blank } from './memory_writer.ts'

const ID = '0192f0c0-0000-7000-8000-000000000001'

/** A record, to which one list of entries after the other is applied; `seq` is set as if each had been written. */
class Life {
  readonly job: StoredJob = blank({ queue: 'mail', transportId: ID, id: ID })
  out = new Folded()
  kinds: string[] = []
  #moment = 0

  tells(...entries: EntryFields[]): this {
    const list = entries.map((fields) => ({
      id: `${++this.#moment}-0`,
      fields: { jobId: ID, ...fields },
    }))
    return this.#take(new JobFold(this.job).apply(list, 0))
  }

  /** What an audit makes of it. */
  isComparedWith(facts: Partial<TransportFacts> | null): this {
    const at = ++this.#moment
    const whole = facts && { ...FACTS, ...facts }
    const told = whole?.eid ? versionOf(whole.eid, 0) : null
    const draft = repair(this.job, whole, BigInt(at) << 20n, { at, dueAt: null, told })
    return draft ? this.#take(draft) : this
  }

  #take(draft: JobDraft): this {
    this.out = new Folded()
    draft.finish(this.out)
    this.job.seq = 1
    this.kinds.push(
      ...this.out.events.flatMap(({ list }) => list.map(([, , , kind]) => kind as string))
    )
    return this
  }
}

const FACTS: TransportFacts = {
  id: ID,
  state: 'waiting',
  eid: null,
  streamed: false,
  name: 'send',
  data: '{}',
  opts: '{}',
  attemptsStarted: 0,
  attemptsMade: 0,
  returnvalue: null,
  failedReason: null,
  stacktrace: null,
  progress: null,
  worker: null,
  run: 1,
  finishedOn: null,
  processedOn: null,
  timestamp: 1,
  delay: 0,
  priority: 0,
  cancelRequest: null,
  losses: 0,
  checkpoints: null,
  waits: [],
}

const ADDED = { event: 'added', name: 'send', data: '{"a":1}', opts: '{"qd":{"tags":["x"]}}' }
const ACTIVE = { event: 'active', ats: '1', pb: 'host:1:x' }
const CANCEL = { event: 'cancel-requested', by: 'ann', ats: '1', run: '1' }
const STOPPED = { event: 'failed', cancelled: '1', failedReason: '[CANCELLED] by ann', ats: '1' }
const DONE = { event: 'completed', returnvalue: '1', ats: '1' }
const restarted = (run: number, prev: string) => ({ event: 'restarted', run: `${run}`, prev })

test.group('Mirror | lives of one job', () => {
  test('a cancelled job that was restarted before anybody read of its end', ({ assert }) => {
    const life = new Life().tells(ADDED, ACTIVE, CANCEL, STOPPED, restarted(2, 'cancelled'), ACTIVE)
    assert.containSubset(life.job, {
      status: 'running',
      stopping: false,
      run: 2,
      attempts: 1,
      error: null,
      cancelAt: null,
    })
    assert.containSubset(life.out.runs, [{ run: 1, status: 'cancelled', errorCode: 'CANCELLED' }])
    assert.containSubset(life.out.attempts, [
      { run: 1, attempt: 1, outcome: 'cancelled' },
      { run: 2, attempt: 1, outcome: 'running' },
    ])
  })

  test('an attempt that an older Redis knows nothing of was lost', ({ assert }) => {
    for (const facts of [{}, { attemptsStarted: 1, attemptsMade: 1 }]) {
      const life = new Life().tells(ADDED, { ...ACTIVE, ats: '2' }).isComparedWith(facts)
      assert.equal(life.job.status, 'pending')
      assert.containSubset(life.out.attempts, [{ run: 1, attempt: 2, outcome: 'lost' }])
    }
  })

  test('a cancelled job whose end was cut away before its restart', ({ assert }) => {
    const life = new Life().tells(ADDED, ACTIVE, CANCEL).tells(restarted(2, 'cancelled'), ACTIVE)
    assert.containSubset(life.job, { status: 'running', stopping: false, run: 2 })
    assert.containSubset(life.out.runs, [{ run: 1, status: 'cancelled' }])
    assert.containSubset(life.out.attempts, [{ run: 1, attempt: 1, outcome: 'lost' }])

    const audited = new Life().tells(ADDED, ACTIVE, CANCEL)
    audited.isComparedWith({ state: 'active', run: 2, attemptsStarted: 1, worker: 'host:2:y' })
    assert.containSubset(audited.job, { status: 'running', stopping: false, run: 2, error: null })
    assert.containSubset(audited.out.runs, [{ run: 1, status: 'cancelled' }])
    audited.tells(DONE)
    assert.containSubset(audited.job, { status: 'completed', run: 2 })
  })

  test('a job whose request to stop was cut away, and that failed before', ({ assert }) => {
    const life = new Life().tells(ADDED, ACTIVE)
    life.isComparedWith({
      state: 'active',
      attemptsStarted: 2,
      attemptsMade: 1,
      failedReason: '[BOOM] once',
      cancelRequest: '{"by":"ann","reason":""}',
    })
    const error = { errorCode: 'CANCELLED', error: 'Cancelled by ann' }
    assert.containSubset(life.job, { status: 'cancelled', stopping: true, ...error })
    life.tells({ ...STOPPED, ats: '2' })
    assert.containSubset(life.job, { status: 'cancelled', stopping: false, ...error })
  })

  test('a long list of awaited jobs whose pieces were cut away', ({ assert }) => {
    const id = '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9'
    const life = new Life()
    life.isComparedWith({
      state: 'waiting-children',
      waits: [{ queue: 'mails', id, onFailure: 'skip' }],
    })
    assert.equal(life.job.status, 'blocked')
    assert.deepEqual(
      life.out.edges.map(({ edges }) => edges),
      [[{ id, onFailure: 'skip' }]]
    )
  })

  test('a second cancellation, of the next run', ({ assert }) => {
    const life = new Life().tells(ADDED, ACTIVE, CANCEL, STOPPED, restarted(2, 'cancelled'))
    life.tells({ event: 'cancelled', by: 'bob', prev: 'waiting', run: '2' })
    assert.containSubset(life.job, { status: 'cancelled', stopping: false, run: 2, attempts: 0 })
    assert.deepEqual(life.kinds.slice(-2), ['restarted', 'cancelled'])
  })

  test('two restarts, in one batch and with the run between them cut away', ({ assert }) => {
    const failed = { event: 'failed', failedReason: 'no', ats: '1' }
    const life = new Life().tells(ADDED, ACTIVE, failed, restarted(2, 'failed'), ACTIVE, DONE)
    life.tells(restarted(3, 'completed'), ACTIVE)
    assert.containSubset(life.job, { status: 'running', run: 3, attempts: 1 })
    assert.containSubset(life.out.runs, [{ run: 2, status: 'completed' }])

    const cut = new Life().tells(ADDED, ACTIVE).tells(restarted(3, 'completed'))
    assert.containSubset(cut.job, { status: 'pending', run: 3 })
    /** It was run 2 that completed. */
    assert.containSubset(cut.out.runs, [{ run: 1, status: 'failed', errorCode: LOST }])
  })

  test('removed and added again under its id', ({ assert }) => {
    const life = new Life().tells(ADDED, { event: 'removed', prev: 'waiting' })
    life.tells({ event: 'added', name: 'other', data: '{"b":2}', opts: '{}' }, ACTIVE, DONE)
    assert.containSubset(life.job, {
      status: 'completed',
      type: 'other',
      run: 2,
      attempts: 1,
      hasTransport: true,
      error: null,
    })
    assert.containSubset(life.out.bodies, [{ payload: '{"b":2}', result: '1' }])
    assert.containSubset(life.out.runs, [{ run: 1, status: 'cancelled' }])
    assert.deepEqual(life.out.tags[0].tags, [])
    assert.deepEqual(life.kinds, ['added', 'removed', 'added again', 'running', 'completed'])
  })

  test('added again without the entry of its removal', ({ assert }) => {
    const life = new Life().tells(ADDED, ACTIVE, { event: 'progress', data: '50', ats: '1' })
    life.tells(ADDED)
    assert.containSubset(life.job, { status: 'pending', run: 2, attempts: 0, percent: 0 })
    assert.containSubset(life.out.attempts, [{ run: 1, attempt: 1, outcome: 'lost' }])
    assert.containSubset(life.out.runs, [{ run: 1, status: 'failed', errorCode: LOST }])
  })

  test('added again with a payload that its entry leaves out', ({ assert }) => {
    const life = new Life().tells(ADDED, { event: 'removed', prev: 'waiting' })
    life.tells({ event: 'added', name: 'send' })
    assert.isFalse(life.job.hasPayload)
    assert.containSubset(life.out.bodies, [{ payload: null, options: null }])
    life.isComparedWith({ data: '{"b":2}', opts: '{}' })
    assert.isTrue(life.job.hasPayload)
    assert.containSubset(life.out.bodies, [{ payload: '{"b":2}' }])
  })

  test('added again where only its end can still be read', ({ assert }) => {
    const gone = () => new Life().tells(ADDED, { event: 'removed', prev: 'waiting' })
    assert.containSubset(gone().tells(DONE).job, { status: 'completed', run: 2 })
    const cancelled = gone().tells({ event: 'cancelled', by: 'ann', prev: 'waiting' })
    assert.containSubset(cancelled.job, { status: 'cancelled', run: 2 })
    assert.containSubset(gone().tells(CANCEL).job, { status: 'cancelled', stopping: true, run: 2 })
    /** While Redis has it, a second end of one run is one too many. */
    const twice = new Life().tells(ADDED, ACTIVE, DONE, STOPPED)
    assert.containSubset(twice.job, { status: 'completed', run: 1 })
    assert.equal(twice.kinds.at(-1), 'refused')
  })

  test('added again where nothing of it can be read any more', ({ assert }) => {
    const gone = () => new Life().tells(ADDED, { event: 'removed', prev: 'waiting' })
    const again = { name: 'other', data: '{"b":2}', timestamp: 3 }
    const ended = {
      state: 'completed',
      attemptsStarted: 2,
      attemptsMade: 2,
      finishedOn: 9,
    } as const
    const life = gone().isComparedWith({ ...again, ...ended, returnvalue: '"second"' })
    assert.containSubset(life.job, {
      status: 'completed',
      type: 'other',
      run: 2,
      attempts: 2,
      finishedAt: 9,
      hasTransport: true,
      error: null,
    })
    assert.containSubset(life.out.bodies, [{ payload: '{"b":2}', result: '"second"' }])
    assert.containSubset(life.out.runs, [{ run: 1, status: 'cancelled' }])
    assert.containSubset(life.out.attempts, [
      { run: 2, attempt: 1, outcome: 'failed' },
      { run: 2, attempt: 2, outcome: 'completed' },
    ])
    assert.deepEqual(life.kinds.slice(-2), ['added again', 'repaired'])
    const version = life.job.version
    life.isComparedWith({ ...again, ...ended })
    assert.equal(life.job.version, version)
    assert.containSubset(gone().isComparedWith(again).job, { status: 'pending', run: 2 })
    /** Within the same millisecond only its own entries tell. */
    const atOnce = gone().isComparedWith({ ...again, timestamp: 2, eid: '2-1' })
    assert.containSubset(atOnce.job, { status: 'pending', run: 2 })
    /** A janitor that removes it meanwhile makes no second life of the first. */
    const first = gone().isComparedWith({ ...ended, timestamp: 1, eid: '1-0' })
    assert.containSubset(first.job, { status: 'cancelled', run: 1 })
  })

  test('a run of which an older Redis knows nothing is lost, and does not end as the one before', ({
    assert,
  }) => {
    const failed = { event: 'failed', failedReason: 'no', ats: '1' }
    const restartedLife = () =>
      new Life().tells(ADDED, ACTIVE, failed).tells(restarted(2, 'failed'), ACTIVE)
    const older = {
      state: 'failed',
      failedReason: 'no',
      attemptsStarted: 1,
      finishedOn: 3,
    } as const
    const life = restartedLife().isComparedWith({ ...older, eid: '3-0' })
    assert.containSubset(life.job, { status: 'failed', run: 2, errorCode: LOST })
    assert.containSubset(life.out.attempts, [{ run: 2, attempt: 1, outcome: 'lost' }])
    const { version } = life.job
    life.isComparedWith({ ...older, eid: '3-0' })
    assert.equal(life.job.version, version)

    /** What Redis told after the restart is of the run that another producer opened. */
    const other = restartedLife().isComparedWith({ ...older, eid: '9-0' })
    assert.containSubset(other.job, { status: 'failed', run: 2, error: 'no' })
    const plain = restartedLife().isComparedWith({ ...older, eid: null })
    assert.containSubset(plain.job, { status: 'failed', run: 2, error: 'no' })
  })

  test('entries without most of their fields leave a record of which each part is so', ({
    assert,
  }) => {
    const events = [
      'active',
      'progress',
      'log',
      'delayed',
      'waiting',
      'stalled',
      'waiting-children',
      'cancel-requested',
      'cancelled',
      'failed',
      'completed',
      'removed',
      'restarted',
    ]
    for (const first of events) {
      const life = new Life()
      for (const event of [first, ...events]) life.tells({ event })
      assert.containSubset(life.job, { status: 'pending', stopping: false, type: '?' })
      assert.isAbove(life.job.createdAt, 0, first)
      assert.isTrue(life.job.run >= 1 && life.job.run < 10)
    }
    assert.containSubset(new Life().tells({ event: 'restarted' }).job, {
      status: 'pending',
      run: 1,
    })
    assert.isFalse(concernsJob({ event: 'unknown', jobId: ID }))
    assert.isFalse(concernsJob({ jobId: ID }))
    assert.isFalse(concernsJob({ event: 'added', jobId: '' }))
    assert.isFalse(concernsJob({ event: 'constructor', jobId: ID }))
  })

  test('numbers that another producer wrote as text, or between two, count as its workers count them', ({
    assert,
  }) => {
    const written = (opts: string) => new Life().tells({ ...ADDED, opts }).job
    assert.deepInclude(written('{"attempts":"3","priority":"7"}'), { maxAttempts: 3, priority: 7 })
    assert.equal(written('{"attempts":2.5}').maxAttempts, 3)
    for (const none of ['"x"', '{}', 'null', '-1', '1e300']) {
      assert.equal(written(`{"attempts":${none}}`).maxAttempts, 1)
    }
  })

  test('numbers that no job reaches count as not said', ({ assert }) => {
    const life = new Life().tells(
      { ...ADDED, run: '9007199254740991' },
      { event: 'active', ats: '4294967296' },
      { event: 'failed', failedReason: 'no', ats: '1e300' },
      { event: 'restarted', run: '9007199254740991' }
    )
    assert.containSubset(life.job, { run: 2, attempts: 0 })
    const facts = { state: 'completed', attemptsStarted: 1e9, attemptsMade: 1e9 } as const
    life.isComparedWith({ ...facts, run: 2, returnvalue: '1' })
    assert.equal(life.job.status, 'completed')
    assert.isBelow(life.out.attempts.length, 1_002)
  })
})
