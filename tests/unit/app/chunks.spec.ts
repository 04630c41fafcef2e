import { readFile } from 'node:fs/promises'
import { test } from '@japa/runner'
import { chunksOf, type Chunk, type ChunkOptions } from '#app/services/documents/chunks'
import { textOfBytes } from '#app/services/documents/text_bytes'
import { tokensOf } from '#app/services/documents/units'
import ChunkJob from '#jobs/document_processing/chunk'

const file = async (name: string) =>
  readFile(new URL(`../../fixtures/documents/${name}`, import.meta.url))

const borders = (chunks: Chunk[]) => chunks.map(({ start, end }) => [start, end])

const characters = (size: number, overlap: number): ChunkOptions => ({
  strategy: 'character',
  size,
  overlap,
})

test.group('Chunks', () => {
  test('refuses sizes and overlaps that make no windows: {size}/{overlap}')
    .with([
      { size: 100, overlap: 100 },
      { size: 100, overlap: 150 },
      { size: 0, overlap: 0 },
      { size: 100, overlap: -1 },
      { size: '100', overlap: 10.5 },
    ])
    .run(async ({ assert }, options) => {
      const payload = { text: 'abc', strategy: 'token', ...options }
      await assert.rejects(() => ChunkJob.payload.validate(payload))
    })

  test('cuts one long word into windows', async ({ assert }) => {
    const text = textOfBytes(await file('g_one_long_word.txt'))
    const chunks = chunksOf(text, characters(512, 50))
    assert.lengthOf(chunks, 11)
    assert.deepEqual(borders(chunks).at(-1), [4620, 5000])
  })

  test('makes no chunk of overlap only', ({ assert }) => {
    const thirty = chunksOf('abcdefghijklmnopqrstuvwxyzabcd', characters(10, 0))
    const twentyTwo = chunksOf('abcdefghijklmnopqrstuv', characters(10, 4))
    assert.deepEqual(borders(thirty), [
      [0, 10],
      [10, 20],
      [20, 30],
    ])
    assert.deepEqual(borders(twentyTwo), [
      [0, 10],
      [6, 16],
      [12, 22],
    ])
  })

  test('takes markers of models for plain text', async ({ assert }) => {
    const text = (await file('g_special_token.txt')).toString()
    const chunks = chunksOf(text, { strategy: 'token', size: 100, overlap: 0 })
    assert.equal(tokensOf(text), 21)
    assert.deepEqual(
      chunks.map(({ text: part, length }) => [part, length]),
      [[text, 21]]
    )
  })

  test('never cuts a letter, even one larger than a chunk', async ({ assert }) => {
    const text = (await file('g_emoji.txt')).toString()
    const byTokens = chunksOf(text, { strategy: 'token', size: 16, overlap: 0 })
    const byCharacters = chunksOf(text, characters(10, 0))
    for (const chunks of [byTokens, byCharacters]) {
      assert.equal(chunks.map((chunk) => chunk.text).join(''), text)
      assert.isTrue(chunks.every((chunk) => chunk.text.isWellFormed()))
      assert.isFalse(chunks.some((chunk) => chunk.text.includes('\uFFFD')))
    }
    assert.isAtLeast(byTokens.length, 40)
    assert.equal(byCharacters[0].text, '👩‍👩‍👧‍👦'.repeat(10))
  })

  test('keeps fenced code whole where it fits', async ({ assert }) => {
    const text = (await file('g_fences.md')).toString()
    for (let size = 30; size <= 80; size++) {
      for (const overlap of [0, 7, 29]) {
        const chunks = chunksOf(text, characters(size, overlap))
        for (const fence of [
          '```sh\n# not a heading\necho 1\n```',
          '~~~yaml\n# nor this\na: 1\n~~~',
        ]) {
          if (fence.length > size) continue
          const [from, to] = [text.indexOf(fence), text.indexOf(fence) + fence.length]
          for (const { start, end } of chunks) {
            assert.isFalse(start > from && start < to, `${size}/${overlap} begins inside`)
            assert.isFalse(end > from && end < to, `${size}/${overlap} ends inside`)
          }
        }
      }
    }
  })

  test('covers every text without a gap, within the size, each chunk with something new', ({
    assert,
  }) => {
    const parts = [
      'word ',
      'ä',
      '👩‍👩‍👧‍👦',
      '\n',
      '```\na\n```\n',
      'e\u0301',
      '漢字',
      '  ',
      '<|endoftext|>',
      'नमस्ते',
    ]
    let seed = 7
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below
    for (let round = 0; round < 150; round++) {
      const text = Array.from({ length: 1 + random(60) }, () => parts[random(parts.length)]).join(
        ''
      )
      const size = 1 + random(40)
      const overlap = random(size)
      for (const strategy of ['token', 'character'] as const) {
        const chunks = chunksOf(text, { strategy, size, overlap })
        let covered = 0
        for (const chunk of chunks) {
          assert.isAtMost(chunk.start, covered)
          assert.isAbove(chunk.end, covered)
          assert.equal(chunk.text, text.slice(chunk.start, chunk.end))
          const letters = [...new Intl.Segmenter('und').segment(chunk.text)].length
          assert.isTrue(chunk.length <= size || letters === 1, `${strategy} ${size}/${overlap}`)
          covered = chunk.end
        }
        assert.equal(covered, text.length)
      }
    }
  })
})
