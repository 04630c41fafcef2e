import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import Create from '#jobs/dataset_generation/create'
import Generate from '#jobs/taxonomy_processing/generate'
import type { Category, Extract } from '#services/documents/artifacts'
import { chunksOf } from '#services/documents/chunks'
import { DocumentStore } from '#services/documents/document_store'
import { jobContext } from './support/job_context.ts'
import { providerServer, refuses, says, type Step } from './support/provider_server.ts'

const TEXT =
  'The kettle heats water with a coil.\nIt ends by itself when the water boils. To open the kettle, press its lid with a finger.'

test.group('Provider: names and questions', (group) => {
  let root: string
  let store: DocumentStore

  group.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'queuedeck-provider-'))
    store = new DocumentStore(root)
    return () => rm(root, { recursive: true, force: true })
  })

  const generate = async (steps: Step[], close: (after: () => void) => void) => {
    const sets = await Promise.all(
      ['telescope', 'garden', 'kitchen'].map((topic) => {
        const sentences = Array.from(
          { length: 12 },
          (_, number) => `A ${topic} is here, and the ${topic} of number ${number} is there.`
        )
        const options = { strategy: 'character' as const, size: 70, overlap: 0 }
        const chunks = chunksOf(sentences.join('\n\n'), options)
        return store.keep('chunks', { source: `${topic}.md`, ...options, chunks })
      })
    )
    const server = await providerServer(steps)
    close(server.close)
    const { context } = jobContext()
    const result = await new Generate(store, server.settings)
      .attach({ sets, provider: true }, context)
      .execute()
    return { result, kept: await store.kept('taxonomies', result.taxonomy), ...server }
  }

  test('names categories, parents before what is below them', async ({ assert, cleanup }) => {
    const named = says((asked) => {
      const [, name] = /Name so far: (.*)/.exec(asked)!
      return JSON.stringify({ name: `${name} matters` })
    })
    const { result, kept, requests } = await generate([named], cleanup)
    assert.sameMembers(
      kept.categories.map(({ id, name }) => `${id}=${name}`),
      [
        'telescope-matters=Telescope matters',
        'garden-matters=Garden matters',
        'kitchen-matters=Kitchen matters',
      ]
    )
    assert.deepEqual(
      result.categories.map(({ id }) => id),
      kept.categories.map(({ id }) => id)
    )
    assert.lengthOf(requests, 3)
    assert.deepInclude(result.provider, { calls: 3, inputTokens: 300, cost: 0.0006 })
    assert.deepEqual(result.warnings, [])
  })

  test('keeps names where it answers nothing that fits, and says so', async ({
    assert,
    cleanup,
  }) => {
    const script = says('{"name":"<script>alert(1)</script>"}')
    const { result, kept, requests } = await generate([script], cleanup)
    assert.sameMembers(
      kept.categories.map(({ name }) => name),
      ['Telescope', 'Garden', 'Kitchen']
    )
    /** Each answer is sent back once. */
    assert.lengthOf(requests, 6)
    assert.deepEqual(
      result.warnings.map(({ code, message }) => [code, message.split('; ').at(-1)]),
      [['PROVIDER_ANSWER', '3 categories were named offline']]
    )
    const same = await generate([says('{"name":"The same"}')], cleanup)
    assert.lengthOf(
      same.kept.categories.filter(({ name }) => name === 'The same'),
      1
    )
    const refused = await generate([refuses(401)], cleanup)
    assert.lengthOf(refused.requests, 1)
    assert.equal(refused.result.warnings[0].code, 'PROVIDER_REFUSED')
  })

  const create = async (steps: Step[], close: (after: () => void) => void) => {
    const taxonomy = await store.keep('taxonomies', {
      sets: [],
      depth: 1,
      categories: [{ id: 'kettles', name: 'Kettles' } as Category],
      unplaced: [],
    })
    const extracts = ['a', 'b', 'c', 'd'].map((id, at): Extract => ({
      id,
      category: 'kettles',
      chunk: { set: 'a'.repeat(64), index: at },
      source: `kettle ${id}.md`,
      start: 0,
      end: 9,
      text: `${TEXT} Part ${'one two three four'.split(' ')[at]} of the manual says so.`,
      confidence: 1,
      agreed: true,
    }))
    const extraction = await store.keep('extractions', {
      taxonomy,
      categories: ['kettles'],
      mode: 'text',
      threshold: 0,
      extracts,
      rejected: 0,
    })
    const server = await providerServer(steps)
    close(server.close)
    const { context } = jobContext()
    const result = await new Create(store, server.settings)
      .attach({ extraction, kind: 'question_answer' as const, provider: true }, context)
      .execute()
    const examples: { question: string; answer: string; source: string }[] = []
    for (const { sha256, format } of result.files) {
      const text = await readFile(join(store.datasetFiles, `${sha256}.${format}`), 'utf8')
      for (const line of text.split('\n').filter(Boolean)) examples.push(JSON.parse(line))
    }
    return { result, examples, ...server }
  }

  const question = (answer: string) =>
    JSON.stringify({ questions: [{ question: 'When does the kettle end?', answer }] })

  test('asks questions whose answers stand in the passage', async ({ assert, cleanup }) => {
    const invented = says(question('It ends after nine minutes, as all kettles do.'))
    const quoted = says(question('It ends by itself when the water boils.'))
    const none = says('{"questions":[]}')
    const { result, examples, requests } = await create([invented, quoted, none], cleanup)
    assert.deepEqual(
      examples.map((one) => [one.question, one.answer, one.source]),
      [['When does the kettle end?', 'It ends by itself when the water boils.', 'kettle a.md']]
    )
    /** Once for each passage, and once more for the answer that was invented. */
    assert.lengthOf(requests, 5)
    assert.match(requests[1].messages.at(-1)!.content, /does not stand in the passage/)
    assert.equal(result.provider?.calls, 5)
    assert.equal(result.leftOut.extracts, 3)
    assert.deepEqual(result.warnings, [])
  })

  test('asks by rules where the provider is away, and says so', async ({ assert, cleanup }) => {
    const { result, examples, requests } = await create([refuses(500)], cleanup)
    assert.lengthOf(requests, 1)
    assert.includeMembers(
      examples.map((one) => one.question),
      ['How do you open the kettle with kettle a?']
    )
    assert.lengthOf(examples, 4)
    assert.deepEqual(
      result.warnings.map(({ code, message }) => [code, message.split('; ').at(-1)]),
      [['PROVIDER_AWAY', '4 extracts were asked about offline']]
    )
  })
})
