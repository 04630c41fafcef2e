import { test } from '@japa/runner'
import { partsOf, versionOf, type EntryFields } from '../../../src/mirror/entries.ts'
import { JobFold, type ReadAgain } from '../../../src/mirror/fold.ts'
import { blank } from './memory_writer.ts'
import { ACTIVE, ADDED, ID, KEY, fold } from './folding.ts'

test.group('Mirror | fold of an older Redis', () => {
  test('leaves no attempt running that an older Redis knows nothing of', ({ assert }) => {
    const { job } = fold([ADDED, ACTIVE, { ...ACTIVE, ats: '3' }])
    const started = fold([ACTIVE], job, 100).out.attempts
    assert.sameDeepMembers(
      started.map(({ attempt, outcome }) => [attempt, outcome]),
      [
        [3, 'lost'],
        [1, 'running'],
      ]
    )
    const before = fold([ADDED, ACTIVE, { ...ACTIVE, ats: '3' }]).job
    const ended = fold([{ event: 'completed', returnvalue: '1', ats: '2' }], before, 100)
    assert.equal(ended.job.status, 'completed')
    assert.containSubset(ended.out.attempts, [
      { attempt: 3, outcome: 'lost' },
      { attempt: 2, outcome: 'completed' },
    ])
  })

  test('opens the next run when an older Redis runs an ended job again', ({ assert }) => {
    const end = fold([ADDED, ACTIVE, { event: 'completed', returnvalue: '1', ats: '1' }]).job
    const { job, kinds } = fold([ACTIVE], end, 10)
    assert.containSubset(job, { status: 'running', run: 2, attempts: 1 })
    assert.deepEqual(kinds, ['redis restored', 'running'])
  })

  test('goes on where a clock that was set back lets all entries have one moment', ({ assert }) => {
    const job = blank(KEY)
    const entries = [ADDED, ACTIVE, { event: 'completed', returnvalue: '1', ats: '1' }]
    for (const [index, fields] of entries.entries()) {
      new JobFold(job).apply([{ id: `7-${3_000_000 + index}`, fields }], 0)
    }
    assert.equal(job.status, 'completed')
    assert.isBelow(Number(versionOf('7-18446744073709551615', 0)), 2 ** 63)
  })

  test('tells apart what was read before ids went back', ({ assert }) => {
    const job = fold([ADDED, ACTIVE, { event: 'completed', returnvalue: '1', ats: '1' }]).job
    const again: ReadAgain = { top: job.version, parts: [{ until: '2-0', skew: 0 }] }
    const entries = [ADDED, ACTIVE, { event: 'completed', returnvalue: '2', ats: '1' }].map(
      (fields, index) => ({
        id: `${index + 1}-0`,
        fields: { jobId: ID, ...fields } as EntryFields,
      })
    )
    entries[2].id = '2-1'
    new JobFold(job).apply(entries, 100, again)
    assert.equal(job.run, 1)
    assert.equal(job.version, versionOf('2-1', 100))
  })

  test('tells apart what was read before ids went back for the second time', ({ assert }) => {
    const COMPLETED = { event: 'completed', returnvalue: '1', ats: '1' }
    const entries = [ADDED, ACTIVE, COMPLETED].map((fields, index) => ({
      id: `${index + 1}-0`,
      fields: { jobId: ID, ...fields } as EntryFields,
    }))
    const ended = (skew: number) => new JobFold(blank(KEY)).apply(entries, skew).job
    const first = partsOf([], 0, { first: '1-0', last: '3-0' })
    const parts = partsOf(first, 100, { first: '1-0', last: '9-0' })
    for (const skew of [0, 100]) {
      const job = ended(skew)
      const { version } = job
      new JobFold(job).apply(entries, 200, { top: versionOf('9-0', 100), parts })
      assert.equal(job.version, version)
    }
  })

  test('keeps of a stream whose ids went back the parts that are still there', ({ assert }) => {
    const three = [
      { until: '10-0', skew: 0 },
      { until: '20-0', skew: 5 },
      { until: '30-0', skew: 9 },
    ]
    const at = (first: string, last: string) => partsOf(three, 20, { first, last })
    assert.deepEqual(at('1-0', '40-0'), [...three, { until: '40-0', skew: 20 }])
    assert.deepEqual(at('11-0', '15-0'), [{ until: '15-0', skew: 5 }])
    assert.deepEqual(at('0-0', '40-0'), [])
    assert.deepEqual(partsOf([], 7, { first: '1-0', last: '2-0' }), [{ until: '2-0', skew: 7 }])
  })
})
