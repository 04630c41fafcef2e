import { test } from '@japa/runner'
import { chunksOf } from '#app/services/documents/chunks'
import { Turns } from '#app/services/documents/turns'
import { CorpusReader } from '#app/services/taxonomy/corpus'
import { displayOf, note, type Form } from '#app/services/taxonomy/names'
import { proseOf } from '#app/services/taxonomy/prose'
import { formOf } from '#app/services/taxonomy/words'
import { taxonomyOf } from '#app/services/taxonomy/taxonomy_tree'

const TOPICS = {
  Gardening: ['roses', 'soil', 'compost', 'seedlings', 'pruning', 'greenhouse'],
  Astronomy: ['telescope', 'planets', 'galaxies', 'orbit', 'nebula', 'eclipse'],
  Cooking: ['onions', 'butter', 'oven', 'recipe', 'simmer', 'spices'],
}

/** Documents about one topic each, with a license and code in each. */
const sets = Object.entries(TOPICS).flatMap(([topic, words], kind) =>
  [0, 1, 2].map((number) => {
    const paragraphs = Array.from(
      { length: 6 },
      (_, at) =>
        `For ${topic.toLowerCase()} one needs ${words[at]} and ${words[(at + number + 1) % 6]}, and ${topic.toLowerCase()} goes on with ${words[(at + 2) % 6]}.`
    )
    const text = [
      `# ${topic} book ${number}`,
      ...paragraphs,
      '```js\nconst widget = gizmo(https)\n```',
      '## License',
      'Permission is hereby granted, free of charge, to any lawyer',
    ].join('\n\n')
    const options = { strategy: 'character' as const, size: 120, overlap: 20 }
    return {
      id: String(kind * 3 + number).repeat(64),
      set: { source: `${topic}-${number}.md`, ...options, chunks: chunksOf(text, options) },
    }
  })
)

const build = async (signal = new AbortController().signal) => {
  const turns = new Turns(signal)
  const reader = new CorpusReader(turns)
  for (const { id, set } of sets) await reader.add(id, set)
  return taxonomyOf(reader, { depth: 3, breadth: 10, fewest: 3 }, turns, async () => {})
}

test.group('Taxonomy', () => {
  test('puts together what speaks of the same topic', async ({ assert }) => {
    const { categories } = await build()
    const kindOf = ({ set }: { set: string }) => Math.floor(Number(set[0]) / 3)
    const names = categories.map(({ name }) => name).join(' ')
    for (const [topic, words] of Object.entries(TOPICS)) {
      assert.match(names, new RegExp([topic, ...words].join('|'), 'i'))
    }
    for (const { chunks, name } of categories.filter(({ depth }) => depth > 1)) {
      assert.equal(new Set(chunks.map(kindOf)).size, 1, name)
    }
  })

  test('places each chunk once, parents before their children', async ({ assert }) => {
    const { categories, unplaced } = await build()
    const refs = [...categories.flatMap(({ chunks }) => chunks), ...unplaced]
    const expected = sets.flatMap(({ id, set }) => set.chunks.map(({ index }) => `${id}/${index}`))
    assert.sameMembers(
      refs.map(({ set, index }) => `${set}/${index}`),
      expected
    )
    const seen = new Set<string>()
    for (const { id, parent, depth, confidence } of categories) {
      assert.isTrue(parent === null ? depth === 1 : seen.has(parent) && id.startsWith(`${parent}/`))
      assert.isFalse(seen.has(id))
      assert.isTrue(confidence > 0 && confidence <= 1)
      seen.add(id)
    }
  })

  test('says nothing of licenses and code', async ({ assert }) => {
    const { categories } = await build()
    assert.notMatch(JSON.stringify(categories), /license|granted|lawyer|widget|gizmo|https/i)
  })

  test('names what is a name, by how it stands in sentences', ({ assert }) => {
    const named = (key: string, sentences: [before: string, text: string, behind: string][]) => {
      const forms = new Map<string, Form>()
      for (const [before, text, behind] of sentences) {
        note(forms, text, {
          before: before === '' ? null : formOf(before),
          behind: behind === '' ? null : formOf(behind),
        })
      }
      return displayOf(key, forms).names
    }
    assert.isTrue(
      named('kettl', [
        ['the', 'kettle', ''],
        ['a', 'kettle', 'is'],
        ['', 'Kettle', ''],
      ])
    )
    assert.isFalse(
      named('warm', [
        ['the', 'warm', 'value'],
        ['a', 'warm', 'file'],
        ['', 'Warm', 'word'],
      ])
    )
    assert.isFalse(
      named('emit', [
        ['the', 'emits', ''],
        ['a', 'emits', ''],
      ])
    )
    assert.isFalse(
      named('current', [
        ['the', 'current', ''],
        ['a', 'current', ''],
      ])
    )
    assert.isFalse(
      named('ignor', [
        ['by', 'ignoring', ''],
        ['for', 'ignoring', ''],
      ])
    )
    assert.isTrue(
      named('rout', [
        ['of', 'routing', ''],
        ['for', 'routing', ''],
      ])
    )
    assert.isFalse(
      named('codemod expect', [
        ['', 'codemod expects', ''],
        ['', 'codemod expects', ''],
      ])
    )
  })

  test('names a large category by two terms where one says too little', async ({ assert }) => {
    const turns = new Turns(new AbortController().signal)
    const reader = new CorpusReader(turns)
    const about = (said: string, mine: string) =>
      `The ${said} of the ${mine} is here. Here is a ${said}, and here is the ${mine}. By the ${said} is a ${mine}.`
    const pairs = [
      ['kettle', 'steam'],
      ['steam', 'teapot'],
      ['teapot', 'kettle'],
      ['planet', 'telescope'],
      ['compost', 'seedling'],
      ['onion', 'saucepan'],
    ]
    const texts = Array.from(
      { length: 60 },
      (_, at) =>
        `${about(pairs[at % 6][0], pairs[at % 6][1])} So says x${'abcdefgh'[at % 8]}${'ijklmnop'[at >> 3]}.`
    )
    for (const [at, text] of texts.entries()) {
      const chunk = { index: 0, start: 0, end: text.length, length: text.length, text }
      await reader.add(at.toString(16).padStart(64, '0'), {
        source: `${(at >> 3) % 3}.md`,
        strategy: 'character',
        size: 1_000,
        overlap: 0,
        chunks: [chunk],
      })
    }
    const { categories } = await taxonomyOf(
      reader,
      { depth: 1, breadth: 10, fewest: 3 },
      turns,
      async () => {}
    )
    const [{ id, name }, ...others] = categories
    assert.match(name, /^(Kettle|Steam|Teapot) and (kettle|steam|teapot)$/)
    assert.equal(id, name.toLowerCase().replaceAll(' ', '-'))
    assert.notMatch(others.map((one) => one.name).join(), / and /)
  })

  test('reads no lines of a table of contents', ({ assert }) => {
    const words = [...proseOf('1.2. Kettle menu … 41\n\nSee the teapot … and so on.')]
      .flatMap((passage) => passage.words)
      .map(({ form }) => form.text)
    assert.notInclude(words, 'Kettle')
    assert.include(words, 'teapot')
  })

  test('gives the same bytes for the same input', async ({ assert }) => {
    assert.equal(JSON.stringify(await build()), JSON.stringify(await build()))
  })

  test('stops when its signal says so', async ({ assert }) => {
    await assert.rejects(() => build(AbortSignal.abort(new Error('cancelled'))), 'cancelled')
  })
})
