import { test } from '@japa/runner'
import { inFlowOrder, resolveWaitFor } from '../../../src/jobs/wait_for.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'

const item = (jobId: string, ...waits: string[]) => ({
  jobId,
  options: {
    waitFor: waits.map((id) => ({ jobId: id, queue: null, onFailure: 'run' as const })),
  },
})
const order = (...items: ReturnType<typeof item>[]) => inFlowOrder(items).map(({ jobId }) => jobId)

test.group('Jobs to wait for', () => {
  test('come first, and otherwise the order stays', ({ assert }) => {
    assert.deepEqual(order(item('a'), item('b', 'x'), item('c')), ['a', 'b', 'c'])
    assert.deepEqual(order(item('d', 'c', 'b'), item('b', 'a'), item('c', 'a'), item('a')), [
      'a',
      'c',
      'b',
      'd',
    ])
    const chain = Array.from({ length: 50_000 }, (_, n) => item(String(n), String(n + 1)))
    assert.equal(order(...chain)[0], '49999')
  })

  test('circles are told, at any length', ({ assert }) => {
    assert.throws(() => order(item('a', 'a')), /job "a" would wait for itself/)
    assert.throws(() => order(item('x'), item('a', 'b'), item('b', 'c'), item('c', 'a')), /itself/)
  })

  test('are named by handles, ids or with their policy; the later word counts', ({ assert }) => {
    const [a, b] = [uuidV7(), uuidV7()]
    assert.deepEqual(
      resolveWaitFor([a.toUpperCase(), { jobId: b, queue: 'q' }, { jobId: a, onFailure: 'skip' }], {
        onFailure: 'run',
      }),
      [
        { jobId: a, queue: null, onFailure: 'skip' },
        { jobId: b, queue: 'q', onFailure: 'run' },
      ]
    )
  })

  test('takes handles that were JSON, and what awaited() gives', ({ assert }) => {
    const job = { jobId: uuidV7(), queue: 'a' }
    const jobs = [{ ...job, type: null, duplicate: false }]
    assert.deepEqual(resolveWaitFor(jobs), [{ ...job, onFailure: 'cancel' }])
  })

  test('refuses {name}')
    .with([
      { name: 'what is no id', jobs: ['1'], options: {}, message: /UUIDs, not "1"/ },
      { name: 'numbers', jobs: [7], options: {}, message: /not 7/ },
      { name: 'a policy', jobs: [], options: { onFailure: 'go' }, message: /cancel, run, skip/ },
      { name: 'an option', jobs: [], options: { when: 1 }, message: /"waitFor.when" is not known/ },
      {
        name: 'a policy for options',
        jobs: [],
        options: 'run',
        message: /"waitFor" must be an object/,
      },
      {
        name: 'an option of one job',
        jobs: [{ jobId: uuidV7(), onfailure: 'run' }],
        options: {},
        message: /"waitFor.onfailure" is not known/,
      },
      { name: 'a queue', jobs: [{ jobId: uuidV7(), queue: 'a:b' }], options: {}, message: /a:b/ },
    ])
    .run(({ assert }, { jobs, options, message }) => {
      assert.throws(() => resolveWaitFor(jobs as never, options as never), message)
    })
})
