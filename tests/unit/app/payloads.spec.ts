import { test } from '@japa/runner'
import Convert from '../../../app/jobs/dataset_generation/convert.ts'
import Create from '../../../app/jobs/dataset_generation/create.ts'
import Quality from '../../../app/jobs/dataset_generation/validate.ts'
import Chunk from '../../../app/jobs/document_processing/chunk.ts'
import Parse from '../../../app/jobs/document_processing/parse.ts'
import Selective from '../../../app/jobs/extraction/selective.ts'
import Generate from '../../../app/jobs/taxonomy_processing/generate.ts'

const ID = '0'.repeat(64)
const MADE = { extraction: ID, kind: 'summary' }

test.group('Payloads of the document jobs', () => {
  test('are refused where something in them would be passed over: {2}')
    .with([
      [Selective, { taxonomy: ID, treshold: 0.9 }, 'treshold', /choose one of taxonomy,/],
      [Generate, { sets: [ID], dept: 3 }, 'dept', /leave it out/],
      [Parse, { documents: ['a.md'], split: { pages: 3, overlap: 1, x: 1 } }, 'split.x', /leave/],
      [Parse, { documents: ['a.pdf'], split: { pages: 3, overlap: 3 } }, 'split.overlap', /below/],
      [Selective, { taxonomy: ID, categories: ['a'], largest: 3 }, 'largest', /leave out either/],
      [
        Parse,
        { documents: ['a.pdf'], split: { pages: 0, overlap: 0 } },
        'split.pages',
        /split\.pages .* at least 1, not 0/,
      ],
      [
        Parse,
        { documents: ['a.pdf'], chunk: {} },
        'chunk.strategy',
        /is missing .* choose one of token/,
      ],
      [Chunk, { text: 'a' }, 'strategy', /is missing .* choose one of token/],
      [
        Chunk,
        { documents: ['x'], strategy: 'token', size: 1, overlap: 0 },
        'documents.0',
        /"x" must be 64 hex/,
      ],
      [Convert, { dataset: ID, file: 'a.csv', format: 'json' }, 'file', /leave out either/],
      [Quality, { dataset: ID, file: 'a.csv' }, 'file', /leave out either/],
      [Create, { ...MADE, provider: true }, 'provider', /kind question_answer, not summary/],
      [
        Create,
        { ...MADE, splits: { train: 0.5, validation: 0.1, test: 0.1 } },
        'splits',
        /must add up to 1, not 0\.7/,
      ],
    ] as const)
    .run(async ({ assert }, [job, payload, field, message]) => {
      const error = await job.payload.validate(payload).catch((reason: unknown) => reason)
      const [problem] = (error as { messages: { field: string; message: string }[] }).messages
      assert.equal(problem.field, field)
      assert.match(problem.message, message)
    })

  test('are taken as they are where all fits', async ({ assert }) => {
    const payload = { documents: ['a.pdf'], split: { pages: 3, overlap: 2 } }
    assert.deepEqual(await Parse.payload.validate({ ...payload, chunk: null }), payload)
  })
})
