import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import Selective from '#jobs/extraction/selective'
import { random } from '#services/datasets/random'
import type { Category, Taxonomy } from '#services/documents/artifacts'
import { chunksOf } from '#services/documents/chunks'
import { DocumentStore } from '#services/documents/document_store'
import { entitiesOf } from '#services/extraction/entities'
import { readable } from '#services/extraction/passages'
import type { ProviderSettings } from '#services/provider/provider_settings'
import { jobContext } from './support/job_context.ts'

const TOPICS = {
  kitchen: ['kettle', 'saucepan', 'oven', 'spatula', 'pastry', 'simmer', 'whisk', 'ladle'],
  harbour: ['vessel', 'mooring', 'anchor', 'lighthouse', 'pilotage', 'freighter', 'tide', 'quay'],
  orchard: ['apple', 'grafting', 'blossom', 'pruning', 'ladder', 'cider', 'seedling', 'pollen'],
}
type Topic = keyof typeof TOPICS
const FILLER = ['the', 'and', 'with', 'for', 'people', 'day', 'morning', 'work', 'house', 'street']

test.group('Extraction', (group) => {
  let root: string
  let store: DocumentStore
  let taxonomy: string
  const texts = new Map<string, string>()

  group.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'queuedeck-extraction-'))
    store = new DocumentStore(root)
    const next = random(7)
    const pick = (words: string[]) => words[Math.floor(next() * words.length)]
    const sentence = (topic: Topic) => {
      const words = Array.from({ length: 12 }, () => pick(next() < 0.4 ? TOPICS[topic] : FILLER))
      return `${words[0].charAt(0).toUpperCase()}${words.join(' ').slice(1)}.`
    }
    const names = Object.keys(TOPICS) as Topic[]
    const categories = names.map((id): Category => ({
      id: id === 'orchard' ? 'harbour/orchard' : id,
      name: id,
      parent: id === 'orchard' ? 'harbour' : null,
      depth: id === 'orchard' ? 2 : 1,
      terms: TOPICS[id].map((term, index) => ({ term, weight: 1 - index / 10 })),
      chunks: [],
      confidence: 1,
    }))
    const made: Taxonomy = { sets: [], depth: 2, categories, unplaced: [] }
    for (let number = 0; number < 6; number++) {
      const source = `document ${number}`
      const paragraphs = Array.from({ length: 6 }, (_, at) => {
        const topic = names[(number + (at >> 1)) % 3]
        return Array.from({ length: 5 }, () => sentence(topic)).join(' ')
      })
      const text = `# About ${number}\n\n${paragraphs.join('\n\n')}\n\n${'_ '.repeat(40)}`
      const options = { strategy: 'character' as const, size: 360, overlap: 40 }
      const chunks = chunksOf(text, options)
      const set = await store.keep('chunks', { source, ...options, chunks })
      texts.set(source, text)
      made.sets.push(set)
      for (const { index, text: part } of chunks) {
        const counts = names.map((id) => TOPICS[id].filter((word) => part.includes(word)).length)
        const most = Math.max(...counts)
        if (most > 0) categories[counts.indexOf(most)].chunks.push({ set, index })
      }
    }
    taxonomy = await store.keep('taxonomies', made)
    return () => rm(root, { recursive: true, force: true })
  })

  const extract = async (payload: Partial<Selective['payload']> = {}, made = jobContext()) => {
    const result = await new Selective(store)
      .attach({ taxonomy, ...payload }, made.context)
      .execute()
    return { result, ...(await store.kept('extractions', result.extraction)) }
  }

  test('takes the texts of a category, at the places that it names', async ({ assert }) => {
    for (const context of ['chunk', 'neighbours', 'document'] as const) {
      const threshold = context === 'document' ? 0.1 : 0.3
      const { extracts, result } = await extract({ context, threshold })
      assert.isAbove(extracts.length, 3, context)
      for (const { source, start, end, text, confidence } of extracts) {
        assert.equal(texts.get(source)!.slice(start, end), text)
        assert.isTrue(confidence >= threshold && confidence <= 1)
      }
      assert.equal(result.extracts, extracts.length)
      assert.equal(new Set(extracts.map(({ id }) => id)).size, extracts.length)
    }
  })

  test('finds the right category', async ({ assert }) => {
    const { extracts } = await extract({ threshold: 0.6 })
    assert.isAbove(extracts.length, 20)
    const agreed = extracts.filter((one) => one.agreed).length
    assert.isAbove(agreed, extracts.length * 0.9)
    for (const { text, category } of extracts) {
      const counts = Object.values(TOPICS).map(
        (words) => words.filter((word) => text.toLowerCase().includes(word)).length
      )
      const own = counts[Object.keys(TOPICS).indexOf(category.split('/').at(-1)!)]
      assert.equal(own, Math.max(...counts), text)
    }
  })

  test('takes in what is below a category, and nothing else', async ({ assert }) => {
    const categories = async (asked: string[]) =>
      new Set((await extract({ categories: asked })).extracts.map(({ category }) => category))
    assert.deepEqual([...(await categories(['harbour']))].sort(), ['harbour', 'harbour/orchard'])
    assert.deepEqual([...(await categories(['harbour/orchard']))], ['harbour/orchard'])
    const error = await extract({ categories: ['harbor'] }).catch((reason) => reason)
    assert.equal(error.code, 'NOT_FOUND')
    assert.match(error.message, /"harbor" is no category .* kitchen, harbour, harbour\/orchard/)
  })

  test('enforces its threshold and counts what it rejects', async ({ assert }) => {
    const all = await extract({ threshold: 0 })
    const some = await extract({ threshold: 0.7 })
    const wanted = all.extracts.filter(({ confidence }) => confidence >= 0.7)
    assert.deepEqual(some.extracts, wanted)
    assert.isAbove(wanted.length, 0)
    assert.equal(some.rejected, all.extracts.length - wanted.length)
    assert.isAbove(some.rejected, 0)
  })

  test('gives the same bytes again', async ({ assert }) => {
    const [one, two] = [await extract(), await extract()]
    assert.equal(JSON.stringify(one), JSON.stringify(two))
  })

  test('is stopped by its signal and tells how far it is', async ({ assert }) => {
    const controller = new AbortController()
    const made = jobContext(controller.signal)
    await extract({}, made)
    assert.deepInclude(made.reports.at(-1), { percent: 100, stage: 'Extraction kept' })
    assert.sameMembers([...new Set(made.reports.map(({ stage }) => stage))].slice(0, 2), [
      'Reading chunks',
      'Learning the categories',
    ])
    controller.abort(new Error('cancelled'))
    const error = await extract({}, jobContext(controller.signal)).catch((reason) => reason)
    assert.equal(error.message, 'cancelled')
  })

  test('goes on without a set that is gone, and fails without any', async ({ assert }) => {
    const { sets } = await store.kept('taxonomies', taxonomy)
    const gone = 'a'.repeat(64)
    const { result } = await extract({ sets: [gone, sets[0]] })
    assert.deepEqual(
      result.warnings.map(({ code }) => code),
      ['NOT_FOUND']
    )
    const error = await extract({ sets: [gone] }).catch((reason) => reason)
    assert.equal(error.code, 'NOT_FOUND')
  })

  test('works offline and says so where a provider is asked for and none answers', async ({
    assert,
  }) => {
    const asked = (settings: ProviderSettings | null) =>
      new Selective(store, settings)
        .attach({ taxonomy, provider: 'validation' }, jobContext().context)
        .execute()
    const { result } = await extract()
    const away = { url: 'http://127.0.0.1:1', key: null, model: 'm', timeout: 1_000, attempts: 1 }
    for (const [settings, code] of [
      [null, 'PROVIDER_MISSING'],
      [{ ...away, prices: null }, 'PROVIDER_AWAY'],
    ] as const) {
      const offline = await asked(settings)
      assert.deepEqual(
        offline.warnings.map((warning) => warning.code),
        [code]
      )
      assert.equal(offline.extraction, result.extraction)
    }
    assert.deepEqual(result.provider, null)
  })

  test('names what a text speaks of, by kind and place', ({ assert }) => {
    const text =
      'Since v1.2.3 of 2026-11-28 `@scope/pack` needs Node.js and Redis Cluster; see https://a.example/b(c). Mail a.b@example.org, ' +
      'wait 30 seconds, read ./docs/read.md, not `this` but `that`. HTTP is used by the Apache server.'
    const entities = entitiesOf(text, 100)
    assert.deepEqual(
      entities.map(({ kind, text: found }) => `${kind} ${found}`),
      [
        'version v1.2.3',
        'date 2026-11-28',
        'package @scope/pack',
        'name Node.js',
        'name Redis Cluster',
        'address https://a.example/b(c',
        'mail a.b@example.org',
        'quantity 30 seconds',
        'path ./docs/read.md',
        'code this',
        'code that',
        'name HTTP',
        'name Apache',
      ]
    )
    for (const { start, end, text: found } of entities) {
      assert.equal(text.slice(start - 100, end - 100), found)
    }
    for (const bomb of [
      'a.'.repeat(50_000),
      '`a'.repeat(25_001),
      'A '.repeat(50_000),
      '1/'.repeat(50_000),
    ]) {
      const before = process.cpuUsage().user
      entitiesOf(bomb.slice(0, 50_000), 0)
      assert.isBelow((process.cpuUsage().user - before) / 1_000, 1_500, bomb.slice(0, 4))
    }
  })

  test('begins and ends an extract with a sentence, a line or at least a word', ({ assert }) => {
    const text =
      'First sentence here. Second sentence there! Third one\nand a line. Fourth wordwordword'
    const cut = (from: number, to: number) => {
      const { start, end } = readable(text, from, to)
      return text.slice(start, end)
    }
    assert.equal(cut(0, text.length), text)
    assert.equal(cut(6, 50), 'Second sentence there!')
    assert.equal(cut(45, 80), 'and a line. Fourth')
    assert.equal(readable('x'.repeat(100), 20, 60).end, 60)
  })
})
