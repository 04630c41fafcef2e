import { test } from '@japa/runner'
import type { Category, ChunkRef, ChunkSet, Taxonomy } from '#app/services/documents/artifacts'
import { Turns } from '#app/services/documents/turns'
import { analysisOf } from '#app/services/taxonomy/analysis'
import { findingsOf, verdictOf } from '#app/services/taxonomy/findings'

const SET = 'a'.repeat(64)
const turns = new Turns(new AbortController().signal)
const refs = (...numbers: number[]): ChunkRef[] => numbers.map((index) => ({ set: SET, index }))

const category = (id: string, chunks: ChunkRef[], others: Partial<Category> = {}): Category => ({
  id,
  name: id.split('/').at(-1)!,
  parent: id.includes('/') ? id.slice(0, id.lastIndexOf('/')) : null,
  depth: id.split('/').length,
  terms: [],
  chunks,
  confidence: 0.7,
  ...others,
})

const sound: Taxonomy = {
  sets: [SET],
  depth: 2,
  categories: [
    category('stars', refs(0)),
    category('stars/planets', refs(1, 2)),
    category('stars/comets', refs(3)),
    category('gardens', refs(4, 5, 6)),
  ],
  unplaced: refs(7),
}

const codes = async (change: Partial<Taxonomy>, sizes = new Map([[SET, 8]])) =>
  (await findingsOf({ ...sound, ...change }, sizes, turns)).map(
    ({ severity, code, path }) => `${severity} ${code} ${path}`
  )

test.group('Taxonomy: validate', () => {
  test('finds nothing in a sound taxonomy', async ({ assert }) => {
    const findings = await findingsOf(
      { ...sound, categories: [...sound.categories, category('rivers', refs(8))] },
      new Map([[SET, 9]]),
      turns
    )
    assert.deepEqual(findings, [])
    assert.equal(verdictOf(findings), 'valid')
  })

  test('finds what contradicts itself, with its path: {expected}')
    .with<{ expected: string; categories: Category[] }[]>([
      { expected: 'error PARENT_MISSING a/b', categories: [category('a/b', refs(0))] },
      {
        expected: 'error ID_TWICE a',
        categories: [category('a', refs(0)), category('a', refs(1))],
      },
      { expected: 'error NO_NAME a', categories: [category('a', refs(0), { name: ' ' })] },
      { expected: 'error DEPTH_WRONG a', categories: [category('a', refs(0), { depth: 2 })] },
      {
        expected: 'error TOO_DEEP a/b/c',
        categories: [category('a', []), category('a/b', []), category('a/b/c', refs(0))],
      },
      {
        expected: 'error CONFIDENCE_RANGE a',
        categories: [category('a', refs(0), { confidence: 2 })],
      },
      {
        expected: 'error CHUNK_TWICE b',
        categories: [category('a', refs(0)), category('b', refs(0))],
      },
      { expected: 'error CHUNK_UNKNOWN a', categories: [category('a', refs(99))] },
      { expected: 'error CHUNK_MISSING ', categories: [category('a', refs(0))] },
      { expected: 'error NO_CHUNKS a', categories: [category('a', [])] },
      { expected: 'error EMPTY ', categories: [] },
      {
        expected: 'warning CONFIDENCE_LOW a',
        categories: [category('a', refs(0), { confidence: 0.1 })],
      },
      {
        expected: 'warning NAME_TWICE b',
        categories: [
          category('a', refs(0), { name: 'Star' }),
          category('b', refs(1), { name: 'stars' }),
        ],
      },
      {
        expected: 'warning TOO_LARGE a',
        categories: [category('a', refs(0, 1)), category('b', refs(2))],
      },
      {
        expected: 'warning ONLY_CHILD a',
        categories: [category('a', refs(0)), category('a/b', refs(1))],
      },
      { expected: 'warning COVERAGE_LOW ', categories: [category('a', [])] },
    ])
    .run(async ({ assert }, { expected, categories }) => {
      assert.include(await codes({ categories }), expected)
    })

  test('says that a chunk set is gone', async ({ assert }) => {
    assert.include(await codes({}, new Map()), 'error SET_MISSING ')
  })
})

test.group('Taxonomy: analyse', () => {
  const set: ChunkSet = {
    source: 'a.md',
    strategy: 'character',
    size: 10,
    overlap: 0,
    chunks: Array.from({ length: 8 }, (_, index) => ({
      index,
      start: index,
      end: index + 1,
      length: 1,
      text: `Text ${index}`,
    })),
  }

  test('measures coverage, balance and orphans', async ({ assert }) => {
    const { coverage, balance, levels, orphans } = await analysisOf(
      sound,
      async () => set,
      turns,
      async () => {}
    )
    assert.deepInclude(coverage, { chunks: 8, placed: 7, share: 0.875 })
    assert.deepEqual(balance[0], {
      parent: null,
      categories: 2,
      evenness: 0.985,
      largest: { id: 'stars', share: 0.571 },
    })
    assert.deepEqual(levels, [
      { depth: 1, categories: 2, chunks: 4 },
      { depth: 2, categories: 2, chunks: 3 },
    ])
    assert.deepEqual(orphans, [{ source: 'a.md', set: SET, index: 7, text: 'Text 7' }])
  })
})
