import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import type { Job } from '#queuedeck'
import Convert from '#jobs/dataset_generation/convert'
import Create from '#jobs/dataset_generation/create'
import ValidateDataset from '#jobs/dataset_generation/validate'
import Chunk from '#jobs/document_processing/chunk'
import Parse from '#jobs/document_processing/parse'
import Selective from '#jobs/extraction/selective'
import Analyse from '#jobs/taxonomy_processing/analyse'
import Generate from '#jobs/taxonomy_processing/generate'
import ValidateTaxonomy from '#jobs/taxonomy_processing/validate'
import { DocumentStore } from '#services/documents/document_store'
import { jobContext } from './support/job_context.ts'

const RUNS = 20

const FIXTURES = new URL('../../fixtures/documents/', import.meta.url)

const ABOUT = {
  Gardening: 'roses soil compost seedlings greenhouse pruning',
  Astronomy: 'telescope planets galaxies orbit nebula eclipse',
  Cooking: 'onions butter oven recipe spices saucepan',
}

const BROUGHT = ['g_two_columns.pdf', 'g_emoji.txt']

/** A manual about each topic, in Markdown, with sentences that answer questions. */
const manuals = Object.entries(ABOUT).map(([topic, some]) => {
  const words = some.split(' ')
  const parts = words.map(
    (word, at) =>
      `## The ${word}\n\nThe ${word} of ${topic.toLowerCase()} goes with the ${words[(at + 1) % 6]}. To use the ${word}, look at the ${words[(at + 2) % 6]} first. ${topic} is the art of the ${word}, and the ${words[(at + 3) % 6]} helps with it every day. A ${word} without any ${words[(at + 4) % 6]} is of little worth to those who know ${topic.toLowerCase()} well.`
  )
  return { name: `${topic}.md`, text: `# ${topic}\n\n${parts.join('\n\n')}\n` }
})

/** Every kind of job once, each with what the ones before have made; what they say, and the names of all files they made. */
async function pipeline(root: string): Promise<string> {
  await mkdir(join(root, 'storage/uploads'), { recursive: true })
  for (const name of BROUGHT) {
    await copyFile(new URL(name, FIXTURES), join(root, 'storage/uploads', name))
  }
  for (const { name, text } of manuals) await writeFile(join(root, 'storage/uploads', name), text)
  const store = new DocumentStore(root)
  const said: unknown[] = []
  const run = async <Payload, Result>(
    type: new (store: DocumentStore) => Job<Payload, Result>,
    payload: Payload
  ): Promise<Result> => {
    const result = await new type(store).attach(payload, jobContext().context).execute()
    said.push(result)
    return result
  }
  const documents = [...BROUGHT, ...manuals.map(({ name }) => name)]
  const read = await run(Parse, { documents: documents.map((name) => `storage/uploads/${name}`) })
  const parsed = read.documents.map((one) => one.parsed)
  const sized = { documents: parsed, size: 300, overlap: 30 }
  await run(Chunk, { ...sized, strategy: 'token' })
  await run(Chunk, { ...sized, strategy: 'semantic' })
  await run(Chunk, { ...sized, strategy: 'schema', rules: [{ heading: 2 }, { pattern: '^-' }] })
  await run(Chunk, { ...sized, strategy: 'delimiter', delimiter: '\n\n' })
  const cut = await run(Chunk, { ...sized, strategy: 'character' })
  const { taxonomy } = await run(Generate, { sets: cut.documents.map((one) => one.chunked) })
  await run(Analyse, { taxonomy })
  await run(ValidateTaxonomy, { taxonomy })
  const { extraction } = await run(Selective, { taxonomy, mode: 'entities', threshold: 0.2 })
  for (const kind of ['question_answer', 'classification'] as const) {
    const { dataset } = await run(Create, { extraction, kind, fewest: 1 })
    await run(ValidateDataset, { dataset })
    const { dataset: csv } = await run(Convert, { dataset, format: 'csv' })
    await run(Convert, { dataset: csv, format: 'json' })
  }
  /** What jobs keep is named after the hash of its bytes. */
  const files = await readdir(join(root, 'storage'), { recursive: true })
  return JSON.stringify([said, files.sort()])
}

test.group('Document jobs', () => {
  test('make the same bytes of the same input, in each of many runs', async ({
    assert,
    cleanup,
  }) => {
    const runs = new Set<string>()
    for (let run = 0; run < RUNS; run++) {
      const root = await mkdtemp(join(tmpdir(), 'queuedeck-same-'))
      cleanup(() => rm(root, { recursive: true, force: true }))
      runs.add(await pipeline(root))
    }
    assert.equal(runs.size, 1)
    assert.match([...runs][0], /"kind":"question_answer"/)
  }).timeout(600_000)
})
