import { performance } from 'node:perf_hooks'
import { test } from '@japa/runner'
import { chunksOf, type ChunkOptions } from '#app/services/documents/chunks'
import { chunkProblems } from '#app/services/documents/chunk_problems'
import ChunkJob from '#jobs/document_processing/chunk'
import ParseJob from '#jobs/document_processing/parse'

const texts = (text: string, options: ChunkOptions) =>
  chunksOf(text, options).map((chunk) => chunk.text)

const schema = (text: string, options: Omit<ChunkOptions & { strategy: 'schema' }, 'strategy'>) =>
  texts(text, { strategy: 'schema', ...options })

const refusal = async (payload: object) => {
  const error = await ChunkJob.payload.validate({ text: 'abc', ...payload }).then(
    () => null,
    (reason) => reason
  )
  return (error?.messages as { field: string; message: string }[] | undefined)?.map(
    ({ field, message }) => `${field}: ${message}`
  )
}

test.group('Chunks: semantic', () => {
  const garden =
    'Roses need sun. A rose in the garden wants soil and water. Water the soil of the garden in spring. Prune roses in the garden, and water them.'
  const stars =
    'Telescopes show planets. A planet has an orbit. The orbit of planets is seen by telescopes at night. At night a telescope finds the orbit of a planet.'

  test('begins a chunk where the topic shifts, with words on both sides alike or not', ({
    assert,
  }) => {
    const text = `${garden} ${stars} ${garden}`
    const cut = texts(text, { strategy: 'semantic', size: 1_000, overlap: 0, sensitivity: 0 })
    assert.deepEqual(cut, [`${garden} `, `${stars} `, garden])
  })

  test('leaves a text of one topic whole', ({ assert }) => {
    assert.deepEqual(texts(garden, { strategy: 'semantic', size: 1_000, overlap: 0 }), [garden])
  })

  test('cuts what is too long for a chunk at the ends of sentences, and shares whole sentences', ({
    assert,
  }) => {
    const text = 'One is red. Two is red. Three is red. Four is red. Five is red. Six is red.'
    const cut = texts(text, { strategy: 'semantic', size: 40, overlap: 15 })
    assert.deepEqual(cut.slice(0, 2), [
      'One is red. Two is red. Three is red. ',
      'Three is red. Four is red. Five is red. ',
    ])
  })

  test('never parts a heading from its text', ({ assert }) => {
    const text = `# Garden\n\n${garden}\n\n# Stars\n\n${stars}`
    const cut = texts(text, { strategy: 'semantic', size: 1_000, overlap: 0 })
    assert.deepEqual(cut, [`# Garden\n\n${garden}\n\n`, `# Stars\n\n${stars}`])
  })
})

test.group('Chunks: schema and delimiter', () => {
  const text = '# A\n\none\n\n## B\n\ntwo\n***\n\n## Chapter C\n\n### D\n\nthree'

  test('begins chunks where any rule says so', ({ assert }) => {
    const whole = { size: 100, overlap: 0 }
    assert.deepEqual(schema(text, { ...whole, rules: [{ heading: 2 }] }), [
      '# A\n\none\n\n',
      '## B\n\ntwo\n***\n\n',
      '## Chapter C\n\n### D\n\nthree',
    ])
    assert.deepEqual(
      schema(text, { ...whole, rules: [{ pattern: '^### ' }, { delimiter: '***' }] }),
      ['# A\n\none\n\n## B\n\ntwo\n***\n\n', '## Chapter C\n\n', '### D\n\nthree']
    )
  })

  test('begins chunks only where all rules meet', ({ assert }) => {
    const rules = [{ heading: 2 }, { delimiter: '***' }, { pattern: 'Chap|^#' }]
    assert.deepEqual(schema(text, { size: 100, overlap: 0, combine: 'all', rules }), [
      '# A\n\none\n\n## B\n\ntwo\n***\n\n',
      '## Chapter C\n\n### D\n\nthree',
    ])
  })

  test('finds lines that end as Windows ends them', ({ assert }) => {
    const windows = 'Chapter 1\r\n```\r\n# no\r\n```\r\n\r\n# yes\r\nChapter 2\r\nb'
    const rules = [{ heading: 1 }, { pattern: '^Chapter \\d+$' }]
    assert.deepEqual(
      schema(windows, { size: 100, overlap: 0, rules }).map((chunk) => chunk.slice(0, 9)),
      ['Chapter 1', '# yes\r\n', 'Chapter 2']
    )
  })

  test('takes no heading and no match from fenced code that fits', ({ assert }) => {
    const fenced = 'a\n\n```\n# no\n# none\n```\n\n# yes'
    const rules = [{ heading: 6 }, { pattern: '#' }]
    assert.lengthOf(schema(fenced, { size: 100, overlap: 0, rules }), 2)
  })

  test('keeps each delimiter with what it ends, and makes no chunk of delimiters only', ({
    assert,
  }) => {
    assert.deepEqual(
      texts('a;b;; ;c;', { strategy: 'delimiter', delimiter: ';', size: 9, overlap: 0 }),
      ['a;', 'b;; ;', 'c;']
    )
  })

  test('cuts what is too long by size and overlap, in characters or tokens', ({ assert }) => {
    const parts = 'abcdefghij|klm'
    assert.deepEqual(texts(parts, { strategy: 'delimiter', delimiter: '|', size: 6, overlap: 2 }), [
      'abcdef',
      'efghij',
      'ij|',
      'klm',
    ])
    assert.deepEqual(
      texts('one two three|four', {
        strategy: 'delimiter',
        delimiter: '|',
        size: 2,
        overlap: 0,
        unit: 'token',
      }),
      ['one two', ' three|', 'four']
    )
  })

  test('matches patterns that explode elsewhere in linear time', ({ assert }) => {
    const before = performance.now()
    const hostile = `${'a'.repeat(30_000)}!\n`
    for (const pattern of ['(a+)+$', '(a|aa)+$', '(.*a){12}b']) {
      assert.lengthOf(schema(hostile, { size: 100_000, overlap: 0, rules: [{ pattern }] }), 1)
    }
    assert.isBelow(performance.now() - before, 5_000)
  })
})

test.group('Chunks: options', () => {
  const sized = { size: 10, overlap: 0 }
  const rule = (one: unknown) => ({ strategy: 'schema', ...sized, rules: [one] })

  test('names what is wrong, with its value and what to do: {what}')
    .with<{ what: string; payload: object; expected: RegExp }[]>([
      {
        what: 'overlap',
        payload: { strategy: 'token', size: 100, overlap: 150 },
        expected: /^overlap: .*150.*below.*100/,
      },
      {
        what: 'size',
        payload: { strategy: 'token', size: '100', overlap: 0 },
        expected: /^size: .*"100".*whole number from 1/,
      },
      {
        what: 'no size',
        payload: { strategy: 'token', overlap: 0 },
        expected: /^size: The size is missing/,
      },
      {
        what: 'strategy',
        payload: { strategy: 'magic', ...sized },
        expected: /^strategy: .*"magic".*choose one of token/,
      },
      {
        what: 'unknown name',
        payload: { strategy: 'token', ...sized, sise: 1 },
        expected: /^sise: .*no option "sise"/,
      },
      {
        what: 'option of another',
        payload: { strategy: 'token', ...sized, rules: [] },
        expected: /^rules: .*no option/,
      },
      {
        what: 'no rules',
        payload: { strategy: 'schema', ...sized, rules: [] },
        expected: /^rules: .*1 to 50.*not 0 rules/,
      },
      {
        what: 'unknown rule',
        payload: rule({ regex: 'a' }),
        expected: /^rules.0: .*regex.*"pattern", "delimiter", "heading"/,
      },
      {
        what: 'two in one',
        payload: rule({ heading: 1, pattern: 'a' }),
        expected: /^rules.0: .*nothing else/,
      },
      { what: 'level', payload: rule({ heading: 9 }), expected: /^rules.0.heading: .*9.*1 to 6/ },
      {
        what: 'syntax',
        payload: rule({ pattern: '[a' }),
        expected: /^rules.0.pattern: .*"\[a".*missing closing/,
      },
      {
        what: 'lookahead',
        payload: rule({ pattern: '(?=a)' }),
        expected: /^rules.0.pattern: .*without lookaround/,
      },
      {
        what: 'empty match',
        payload: rule({ pattern: 'a*' }),
        expected: /^rules.0.pattern: .*matches an empty text/,
      },
      {
        what: 'huge',
        payload: rule({ pattern: 'a(b{90}c?){9}' }),
        expected: /^rules.0.pattern: .*(too large|repeat)/,
      },
      {
        what: 'delimiter',
        payload: { strategy: 'delimiter', ...sized, delimiter: '' },
        expected: /^delimiter: .*"".*1 to/,
      },
      {
        what: 'window',
        payload: { strategy: 'semantic', ...sized, window: 0 },
        expected: /^window: .*0.*1 to 50/,
      },
      {
        what: 'combine',
        payload: { ...rule({ heading: 1 }), combine: 'none' },
        expected: /^combine: .*"none".*any, all/,
      },
      {
        what: 'unit',
        payload: { strategy: 'semantic', ...sized, unit: 'byte' },
        expected: /^unit: .*"byte".*token/,
      },
    ])
    .run(async ({ assert }, { payload, expected }) => {
      const messages = await refusal(payload)
      assert.lengthOf(messages ?? [], 1)
      assert.match(messages![0], expected)
    })

  test('checks the options that parse hands on', async ({ assert }) => {
    const payload = { documents: ['a.md'], chunk: { strategy: 'token', size: 5, overlap: 5 } }
    const error = await ParseJob.payload.validate(payload).catch((reason) => reason)
    assert.deepInclude(error.messages[0], { field: 'chunk.overlap' })
    payload.chunk.overlap = 4
    assert.deepEqual(await ParseJob.payload.validate(payload), payload)
  })
})

test.group('Options of chunks that code gives', () => {
  test('are named as they are: {1}')
    .with([
      [{ size: Number.NaN }, 'The size NaN must'],
      [{ size: Infinity }, 'The size Infinity must'],
      [{ size: 10n }, 'The size 10n must'],
      [{ size: () => 1 }, 'The size a function must'],
      [{ size: { a: 1n } }, 'The size an object that is no JSON must'],
      [{ strategy: Symbol('x') }, 'The strategy Symbol(x) is'],
      [{ strategy: `a${'😀'.repeat(60)}` }, `The strategy "a${'😀'.repeat(38)}… is`],
      [{ strategy: 'schema' }, '[{ "heading": 2 }], not left out'],
    ] as [object, string][])
    .run(({ assert }, [options, words]) => {
      const [problem] = chunkProblems({ strategy: 'token', size: 1, overlap: 0, ...options })
      assert.include(problem.message, words)
    })
})
