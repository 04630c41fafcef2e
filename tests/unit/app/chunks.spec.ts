import { readFile } from 'node:fs/promises'
import { test } from '@japa/runner'
import { countTokens } from 'gpt-tokenizer/encoding/cl100k_base'
import { chunksOf, type Chunk, type ChunkOptions } from '#app/services/documents/chunks'
import { textOfBytes } from '#app/services/documents/text_bytes'
import { unitOf } from '#app/services/documents/chunk_options'
import { tokensOf } from '#app/services/documents/cl100k'
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

  test('parts no fenced code of an item that fits', ({ assert }) => {
    const text =
      '1.  Run this:\n\n    ```sh\n    # install it\n    npm install thing\n    ```\n\n2.  Next\n'
    const [, code] = chunksOf(text, characters(60, 0))
    assert.include(code.text, '    ```sh\n    # install it\n    npm install thing\n    ```\n')
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

  test('counts tokens as cl100k_base has them', ({ assert }) => {
    const { random, textOf } = generator(11)
    for (let round = 0; round < 80; round++) {
      const text = textOf(1 + random(30))
      assert.equal(tokensOf(text), countTokens(text, PLAIN), JSON.stringify(text))
    }
  })

  test('cuts generated texts by {strategy} so that the chunks are the text again')
    .with<ChunkOptions[]>([
      { strategy: 'token', size: 0, overlap: 0 },
      { strategy: 'character', size: 0, overlap: 0 },
      { strategy: 'semantic', size: 0, overlap: 0, window: 1, sensitivity: 1 },
      { strategy: 'semantic', size: 0, overlap: 0, unit: 'token' },
      {
        strategy: 'schema',
        size: 0,
        overlap: 0,
        rules: [{ heading: 2 }, { pattern: '(?i)word|[ä漢]' }, { delimiter: '\u0301' }],
      },
      {
        strategy: 'schema',
        size: 0,
        overlap: 0,
        unit: 'token',
        combine: 'all',
        rules: [{ heading: 6 }, { pattern: '^#' }],
      },
      { strategy: 'delimiter', size: 0, overlap: 0, delimiter: '\n' },
      { strategy: 'delimiter', size: 0, overlap: 0, delimiter: ' ', unit: 'token' },
    ])
    .run(({ assert }, given) => {
      const { random, textOf } = generator(7)
      for (let round = 0; round < 25; round++) {
        const text = textOf(1 + random(60))
        const size = 1 + random(40)
        const options = { ...given, size, overlap: random(size) }
        const chunks = chunksOf(text, options)
        const told = JSON.stringify({ text, options })
        let rebuilt = ''
        for (const chunk of chunks) {
          const length =
            unitOf(options) === 'token'
              ? countTokens(chunk.text, PLAIN)
              : [...letters.segment(chunk.text)].length
          const whole = [...letters.segment(chunk.text)].length === 1
          const isRight =
            chunk.start <= rebuilt.length &&
            chunk.end > rebuilt.length &&
            chunk.text === text.slice(chunk.start, chunk.end) &&
            chunk.length === length &&
            (length <= size || whole)
          if (!isRight) assert.fail(`${JSON.stringify(chunk)} of ${told}`)
          rebuilt += chunk.text.slice(rebuilt.length - chunk.start)
        }
        assert.equal(rebuilt, text, told)
        if (round % 5 === 0) assert.deepEqual(chunksOf(text, options), chunks)
      }
    })
})

const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }
const letters = new Intl.Segmenter('und', { granularity: 'grapheme' })

const PARTS = [
  ...[
    'word ',
    'ä',
    '👩‍👩‍👧‍👦',
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    '```\na\n```\n',
    '~~~\nb',
    'e\u0301',
    '漢字',
    '  ',
  ],
  ...[
    '\t',
    '<|endoftext|>',
    'नमस्ते',
    'שלום עולם',
    'مرحبا',
    '\ud800',
    '\udc00',
    '\u0000',
    "'s",
    '12345',
    '...',
  ],
  ...[
    '# Title\n',
    '\n## Two\n\n',
    'One sentence. ',
    'Another e.g. Here! ',
    '한국어',
    '🇩🇪🇫🇷',
    '\u200d',
    '\u0600a',
  ],
  ...[
    'a'.repeat(300),
    '¿',
    '\u2028',
    'z\u0335\u0336\u0337'.repeat(20),
    'Supercalifragilisticexpialidocious',
  ],
]

function generator(seed: number) {
  let state = seed
  const random = (below: number) => (state = (state * 48271) % 2147483647) % below
  const textOf = (parts: number) =>
    Array.from({ length: parts }, () => PARTS[random(PARTS.length)]).join('')
  return { random, textOf }
}
