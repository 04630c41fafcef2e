import { test } from '@japa/runner'
import type { EntryFields } from '../../../src/mirror/entries.ts'
import { JobFold } from '../../../src/mirror/fold.ts'
import { Folded } from '../../../src/mirror/job_draft.ts'
import type { StoredJob } from '../../../src/records/writer_types.ts'
import { blank } from './memory_writer.ts'

const ID = '0192f0c0-0000-7000-8000-000000000001'
const ADDED = { event: 'added', name: 'send', data: '{}', opts: '{"attempts":3}' }
const ACTIVE = { event: 'active', ats: '1', pb: 'host:1:x' }

type Timed = [at: number, fields: EntryFields]

function entriesOf(list: Timed[]) {
  return list.map(([at, fields]) => ({ id: `${at}-0`, fields: { jobId: ID, ...fields } }))
}

/** What is measured of these entries, each group in a batch of its own. */
function measured(...batches: Timed[][]): string[] {
  const job: StoredJob = blank({ queue: 'mail', transportId: ID, id: ID })
  return batches.flatMap((batch) => {
    const out = new Folded()
    const before = job.version
    const fold = new JobFold(job).apply(entriesOf(batch), 0)
    if (job.version !== before) fold.finish(out)
    return out.measures.map(({ kind, at, duration, attempt }) =>
      [kind, at, ...(duration === null ? [] : [duration]), ...(attempt ? ['looked up'] : [])].join(
        ' '
      )
    )
  })
}

test.group('Job measures', () => {
  test('count a run, how long it waited and how long it ran', ({ assert }) => {
    const run: Timed[] = [
      [1_000, ADDED],
      [1_000, { event: 'waiting' }],
      [1_250, ACTIVE],
      [3_250, { event: 'completed', ats: '1', returnvalue: 'null' }],
    ]
    const told = ['added 1000', 'started 1250 250', 'completed 3250 2000']
    assert.deepEqual(measured(run), told)
    assert.deepEqual(measured(...run.map((entry) => [entry])), told)
  })

  test('count entries that come again once', ({ assert }) => {
    const run: Timed[] = [
      [1_000, ADDED],
      [1_250, ACTIVE],
      [3_250, { event: 'completed', ats: '1', returnvalue: 'null' }],
    ]
    assert.lengthOf(measured(run, run, run.slice(1)), 3)
  })

  test('count a retry and wait from the moment it is due', ({ assert }) => {
    const run: Timed[] = [
      [1_000, ADDED],
      [1_010, ACTIVE],
      [1_500, { event: 'delayed', ats: '1', err: 'broke', delay: '6500' }],
      [6_520, { event: 'waiting', prev: 'delayed' }],
      [6_560, { ...ACTIVE, ats: '2' }],
      [7_000, { event: 'failed', ats: '2', failedReason: 'broke' }],
    ]
    const told = ['added 1000', 'started 1010 10', 'retried 1500 490', 'started 6560 40']
    assert.deepEqual(measured(run), [...told, 'failed 7000 440'])
    assert.deepEqual(measured(run.slice(0, 4), run.slice(4)), [...told, 'failed 7000 440'])
    // Where the second attempt began stands in its own row, not in the record.
    assert.deepEqual(measured(run.slice(0, 5), run.slice(5)), [...told, 'failed 7000 looked up'])
  })

  test('count a cancelled job once, and how long it ran not at all', ({ assert }) => {
    assert.deepEqual(
      measured([
        [1_000, ADDED],
        [1_250, ACTIVE],
        [1_500, { event: 'cancel-requested', by: 'me' }],
        [2_000, { event: 'failed', ats: '1', failedReason: '[CANCELLED] x', cancelled: '1' }],
      ]),
      ['added 1000', 'started 1250 250', 'cancelled 1500']
    )
    assert.deepEqual(measured([[1_000, ADDED]], [[2_000, { event: 'removed' }]]), [
      'added 1000',
      'cancelled 2000',
    ])
  })

  test('count a restart as a run that begins', ({ assert }) => {
    const failed: Timed[] = [
      [1_000, ADDED],
      [1_250, ACTIVE],
      [1_500, { event: 'failed', ats: '1', failedReason: 'broke' }],
    ]
    const again: Timed[] = [
      [9_000, { event: 'restarted', run: '2' }],
      [9_000, { event: 'waiting', prev: 'failed', run: '2' }],
      [9_100, ACTIVE],
      [9_200, { event: 'completed', ats: '1', returnvalue: 'null' }],
    ]
    const told = ['added 9000', 'started 9100 100', 'completed 9200 100']
    assert.deepEqual(measured(failed, again).slice(3), told)
    assert.deepEqual(measured([...failed, ...again]).slice(3), told)
  })

  test('count what plain BullMQ tells', ({ assert }) => {
    assert.deepEqual(
      measured([
        [1_000, { event: 'added', name: 'send' }],
        [1_000, { event: 'waiting' }],
        [1_100, { event: 'active', prev: 'waiting' }],
        [1_400, { event: 'waiting', prev: 'active' }],
        [1_400, { event: 'stalled' }],
        [1_450, { event: 'active', prev: 'waiting' }],
        [1_460, { event: 'completed', returnvalue: '1', prev: 'active' }],
      ]),
      ['added 1000', 'started 1100 100', 'retried 1400', 'started 1450 50', 'completed 1460 10']
    )
  })

  test('know no waiting of a job whose beginning was not seen', ({ assert }) => {
    assert.deepEqual(
      measured([
        [1_250, ACTIVE],
        [3_250, { event: 'completed', ats: '1', returnvalue: 'null' }],
      ]),
      ['completed 3250 2000']
    )
  })
})
