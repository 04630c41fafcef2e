import { test } from '@japa/runner'
import type { AwaitedResult } from '#queuedeck'
import Chunk from '#jobs/document_processing/chunk'
import { DocumentStore } from '#services/documents/document_store'
import { keptIds } from '#services/documents/awaited_ids'
import { followUpId } from '#services/documents/follow_up_id'
import { KINDS, RunIds } from '#services/pipeline/run_ids'
import { runPlan } from '#services/pipeline/run_plan'
import { jobContext } from './support/job_context.ts'

const ONE = '1'.repeat(64)
const TWO = '2'.repeat(64)

const result = (value: unknown): AwaitedResult => ({
  jobId: '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9',
  queue: 'documents',
  type: 'document_processing.parse',
  status: value === null ? 'failed' : 'completed',
  result: value,
  error: null,
})

const waiting = (...values: unknown[]) =>
  new Chunk(new DocumentStore('/nowhere')).attach(
    { documents: ['awaited'], strategy: 'token', size: 10, overlap: 0 },
    {
      ...jobContext().context,
      awaited: async () => values.map(result),
    }
  )

test.group('A run through the documents', () => {
  test('takes each document by itself, and all that could be cut into one taxonomy', ({
    assert,
  }) => {
    const ids = RunIds.new()
    const plan = runPlan(ids, {
      documents: ['a.md', 'b.md', 'c.md'],
      chunk: [{ strategy: 'token', size: 100, overlap: 0 }],
      depth: 3,
      threshold: 0.5,
      kinds: KINDS,
    })
    const known = new Map(plan.map((job) => [job.options!.jobId!, job]))
    assert.equal(known.size, plan.length)
    assert.equal(plan.length, 3 + 3 + 1 + 4 + 4 * KINDS.length)
    const edges = plan.flatMap(({ options }) => [options!.waitFor ?? []].flat() as unknown[])
    for (const edge of edges) {
      const id = typeof edge === 'string' ? edge : (edge as { jobId: string }).jobId
      assert.isTrue(known.has(id), id)
    }
    const cuts = [0, 1, 2].map((number) => followUpId(ids.document(number), 1))
    assert.deepEqual(
      known.get(ids.run)!.options!.waitFor,
      cuts.map((jobId) => ({ jobId, onFailure: 'run' }))
    )
    for (const [number, cut] of cuts.entries()) {
      assert.deepEqual(known.get(cut)!.options!.waitFor, {
        jobId: ids.document(number),
        onFailure: 'skip',
      })
    }
  })

  test('hands on what awaited jobs made, each once and in order', async ({ assert }) => {
    const job = waiting({ documents: [{ parsed: TWO }, { parsed: ONE }] }, null, { parsed: ONE })
    assert.deepEqual(await keptIds(job, ['awaited'], 'parsed'), [TWO, ONE])
    assert.deepEqual(await keptIds(job, [ONE, 'awaited'], 'parsed'), [ONE, TWO])
    assert.deepEqual(await keptIds(job, [TWO], 'parsed'), [TWO])
  })

  test('says so when nothing was made', async ({ assert }) => {
    const error = await keptIds(waiting(null, 'x', [1]), ['awaited'], 'parsed').catch((one) => one)
    assert.equal(error.code, 'NOTHING_AWAITED')
    assert.include(error.message, 'None of the 3 jobs')
  })
})
