import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { chunksOf } from '#app/services/documents/chunks'
import { DocumentStore } from '#app/services/documents/document_store'
import Analyse from '#jobs/taxonomy_processing/analyse'
import Generate from '#jobs/taxonomy_processing/generate'
import Validate from '#jobs/taxonomy_processing/validate'
import { jobContext } from './support/job_context.ts'

test.group('Taxonomy jobs', (group) => {
  let root: string

  group.each.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'queuedeck-taxonomies-'))
    return () => rm(root, { recursive: true, force: true })
  })

  const keepSets = (store: DocumentStore) =>
    Promise.all(
      ['telescope', 'garden', 'kitchen'].map((topic) => {
        const text = Array.from(
          { length: 12 },
          (_, number) => `A ${topic} is here, and the ${topic} of number ${number} is there.`
        ).join('\n\n')
        const options = { strategy: 'character' as const, size: 70, overlap: 0 }
        return store.keep('chunks', {
          source: `${topic}.md`,
          ...options,
          chunks: chunksOf(text, options),
        })
      })
    )

  test('generates, measures and validates a taxonomy, with stages and counts', async ({
    assert,
  }) => {
    const store = new DocumentStore(root)
    const sets = await keepSets(store)
    const made = jobContext()
    const result = await new Generate(store).attach({ sets }, made.context).execute()
    assert.sameMembers(
      result.categories.map(({ id }) => id),
      ['telescope', 'garden', 'kitchen']
    )
    assert.includeMembers(
      made.reports.map(({ stage }) => stage),
      ['Reading chunks', 'Counting terms', 'Finding categories', 'Taxonomy kept']
    )
    const { taxonomy } = result
    const analysis = await new Analyse(store).attach({ taxonomy }, jobContext().context).execute()
    assert.equal(analysis.coverage.placed, result.placed)
    const checked = await new Validate(store).attach({ taxonomy }, jobContext().context).execute()
    assert.equal(checked.errors, 0)
    assert.equal(checked.findings.length, checked.warnings + checked.notes)
  })

  test('fails when no set can be read, and says so when one cannot', async ({ assert }) => {
    const store = new DocumentStore(root)
    const gone = 'f'.repeat(64)
    const failed = new Generate(store).attach({ sets: [gone] }, jobContext().context).execute()
    assert.equal((await failed.catch((error) => error)).code, 'NOT_FOUND')
    const sets = [...(await keepSets(store)), gone]
    const { warnings } = await new Generate(store).attach({ sets }, jobContext().context).execute()
    assert.deepEqual(
      warnings.map(({ source, code }) => [source, code]),
      [[gone, 'NOT_FOUND']]
    )
  })
})
