import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { convertDataset } from '#services/datasets/convert'
import { exampleOf, exampleRow } from '#services/datasets/csv'
import { CsvRecords } from '#services/datasets/csv_records'
import { type DatasetFormat, readExamples } from '#services/datasets/dataset_reader'
import type { DatasetSource } from '#services/datasets/dataset_source'
import { type Example, parseJson } from '#services/datasets/example'
import type { Field } from '#services/datasets/fields'
import { JsonElements } from '#services/datasets/json_elements'
import { random } from '#services/datasets/random'
import type { Dataset } from '#services/documents/artifacts'

const HOSTILE = [
  '',
  ' ',
  '=1+1',
  "'=1+1",
  "''=1+1",
  "'",
  "'plain",
  '-5.25',
  '-5.25x',
  '+41 79 555',
  '@SUM(A1)',
  '＝1+1',
  '\t=1',
  '\r',
  '\n=1',
  ' =1',
  'a\rb',
  'a\nb',
  'a\r\nb',
  'he said "x"',
  '"',
  '""',
  'a,b',
  ',',
  'null',
  'true',
  '1e400',
  '\0',
  '\ud800',
  '\uFEFF',
  '<|endoftext|>',
  '😀',
  'Zwölf',
  '{"a":1}',
  '[',
  '\u2028=1',
]
const VALUES: unknown[] = [
  ...HOSTILE,
  null,
  true,
  false,
  0,
  -5,
  1e21,
  0.1,
  { deep: ['=1', null, { x: '\n' }] },
  [],
  [1, '2'],
]
const NAMES = ['text', 'label', '=1+1', "'=a", 'a,b', 'a"b', 'a\nb', '__proto__', 'constructor', '']

test.group('Datasets', (group) => {
  let folder: string
  group.setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'queuedeck-datasets-'))
    return () => rm(folder, { recursive: true, force: true })
  })

  const convert = async (source: DatasetSource, format: DatasetFormat, known?: Dataset) =>
    convertDataset(source, {
      format,
      spreadsheet: true,
      folder,
      known: known ?? null,
      signal: new AbortController().signal,
      tell: async () => {},
    })
  const brought = async (name: string, text: string | Uint8Array): Promise<DatasetSource> => {
    const path = join(folder, name)
    await writeFile(path, text)
    const format = name.split('.').pop() as DatasetFormat
    return { name, kind: 'other', from: { file: name }, files: [{ split: 'data', format, path }] }
  }
  const made = (dataset: Dataset): DatasetSource => ({
    name: dataset.name,
    kind: dataset.kind,
    from: dataset.from,
    files: dataset.files.map(({ split, format, sha256 }) => ({
      split,
      format,
      path: join(folder, `${sha256}.${format}`),
      fields: dataset.fields,
    })),
  })
  const bytesOf = (dataset: Dataset) =>
    readFile(join(folder, `${dataset.files[0].sha256}.${dataset.files[0].format}`), 'utf8')
  const read = async (source: DatasetSource) => {
    const examples: Example[] = []
    const [{ path, format, fields }] = source.files
    for await (const one of readExamples(path, format, fields)) {
      if ('problem' in one) throw one.problem
      examples.push(one.example)
    }
    return examples
  }

  test('gives back what was there through JSONL, CSV, JSON and back', async ({ assert }) => {
    for (let seed = 1; seed <= 40; seed++) {
      const next = random(seed)
      const pick = <Value>(from: Value[]): Value => from[Math.floor(next() * from.length)]
      const names = NAMES.filter(() => next() < 0.5)
      if (names.length === 0) names.push('only')
      /** Some columns hold one type only, as those of real datasets do. */
      const pools = new Map(names.map((name) => [name, next() < 0.5 ? HOSTILE : VALUES]))
      const lines = Array.from<unknown, string>({ length: 1 + Math.floor(next() * 12) }, () =>
        JSON.stringify(
          Object.fromEntries(
            names.filter(() => next() < 0.9).map((name) => [name, pick<unknown>(pools.get(name)!)])
          )
        )
      )
      if (!lines.some((line) => line.length > 2)) lines.push('{"only":1}')
      const wanted = lines.map((line) => sorted(JSON.parse(line)))

      let dataset = (await convert(await brought(`${seed}.jsonl`, lines.join('\n')), 'csv')).dataset
      for (const format of ['json', 'csv', 'jsonl'] as const) {
        dataset = (await convert(made(dataset), format, dataset)).dataset
        const got = (await read(made(dataset))).map(sorted)
        assert.deepEqual(got, wanted, `seed ${seed}, ${format}`)
      }
    }
  })

  test('writes CSV that opens elsewhere', async ({ assert }) => {
    const row = {
      a: -5,
      b: '-5.25',
      c: '=1+1',
      d: 'a\rb',
      e: 'a\nb',
      f: 'he said "x"',
      g: true,
      h: null,
    }
    const { dataset } = await convert(await brought('g36.jsonl', JSON.stringify(row)), 'csv')
    assert.equal(
      await bytesOf(dataset),
      '\uFEFFa,b,c,d,e,f,g,h\r\n-5,-5.25,\'=1+1,"a\rb","a\nb","he said ""x""",true,\r\n'
    )
    assert.deepEqual(await read(made(dataset)), [row])
  })

  test('makes header cells harmless too, and keeps the digits of long numbers', async ({
    assert,
  }) => {
    const line = '{"=1+1":1970670598291982291,"-2":1e400,"x":0.1}'
    const { dataset } = await convert(await brought('digits.jsonl', line), 'csv')
    assert.equal(await bytesOf(dataset), "\uFEFF'=1+1,-2,x\r\n1970670598291982291,1e400,0.1\r\n")
    const back = await convert(made(dataset), 'jsonl', dataset)
    assert.equal(await bytesOf(back.dataset), `${line}\n`)
  })

  test('reads the same from pieces of any length', async ({ assert }) => {
    const csv = 'a,b\r\n"x\r\n""y""",2\r\r\n,""\n"é😀",'
    const json = ' [ {"a":"\\"]},"} , [1,{"b":2}] ,3]\n'
    const records = (size: number) => {
      const parser = new CsvRecords(1_000)
      return [...cut(csv, size).flatMap((piece) => [...parser.push(piece)]), ...parser.end()]
    }
    const elements = (size: number) => {
      const parser = new JsonElements(1_000)
      return cut(json, size).flatMap((piece) => [...parser.push(piece)])
    }
    assert.deepEqual(
      records(100).map(({ line, cells }) => [line, cells.map(({ text }) => text)]),
      [
        [1, ['a', 'b']],
        [2, ['x\r\n"y"', '2']],
        [4, ['']],
        [5, ['', '']],
        [6, ['é😀', '']],
      ]
    )
    for (let size = 1; size < 12; size++) {
      assert.deepEqual(records(size), records(100))
      assert.deepEqual(elements(size), elements(100))
    }
    assert.deepEqual(
      elements(100).map(({ text }) => text.trim()),
      ['{"a":"\\"]},"}', '[1,{"b":2}]', '3']
    )
  })

  test('keeps what can be read and says what cannot', async ({ assert }) => {
    const lines = await convert(await brought('some.jsonl', '{"a":1}\n[2]\n{"a":\n{"a":4}'), 'json')
    assert.equal(lines.dataset.examples, 2)
    assert.deepEqual(
      lines.reading.problems.map(({ place, problem }) => [place, problem.code, problem.message]),
      [
        ['line 2', 'DATASET_DAMAGED', 'is no example: an object is expected'],
        ['line 3', 'DATASET_DAMAGED', 'is no JSON'],
      ]
    )
    const cutOff = await convert(await brought('cut.json', '[{"a":1},{"a":2},{"a"'), 'jsonl')
    assert.equal(cutOff.dataset.examples, 2)
    assert.match(cutOff.reading.problems[0].problem.message, /cut off behind example 2/)
    const short = await convert(await brought('short.csv', 'a,b\n1,2\n3\n\n4,5\n'), 'jsonl')
    assert.equal(await bytesOf(short.dataset), '{"a":"1","b":"2"}\n{"a":"4","b":"5"}\n')
    assert.match(short.reading.problems[0].problem.message, /1 cells where there are 2/)
  })

  test('reads lines that end otherwise, and leaves out what is too deep to be written', async ({
    assert,
  }) => {
    const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
    const text = `\ufeff{"a":1}\r{"a":2}\r\n${deep}\n{"a":4}\r`
    const { dataset, reading } = await convert(await brought('ends.jsonl', text), 'json')
    assert.equal(dataset.examples, 3)
    assert.deepEqual(
      reading.problems.map(({ place, problem }) => `${place} ${problem.message}`),
      ['line 3 is nested over 500 levels deep']
    )
    const none = convert(await brought('none.jsonl', Buffer.from('{"a":"é"}', 'latin1')), 'json')
    await assert.rejects(() => none, 'the file is not UTF-8: save it as UTF-8')
  })

  test('fails with a code where nothing can be read', async ({ assert }) => {
    const cases: [string, string | Uint8Array, string][] = [
      ['a.jsonl', 'nothing\nof it', 'DATASET_DAMAGED'],
      ['b.json', '{"a":1}', 'DATASET_DAMAGED'],
      ['c.csv', 'a,a\n1,2', 'DATASET_DAMAGED'],
      ['d.csv', 'a,b\n"open', 'DATASET_DAMAGED'],
      ['e.jsonl', Uint8Array.from([0x7b, 0xff, 0x7d]), 'TEXT_ENCODING'],
      ['f.jsonl', `{"a":"${'x'.repeat(4_000_001)}"}`, 'TOO_LARGE'],
    ]
    for (const [name, text, code] of cases) {
      const failed = convert(await brought(name, text), 'csv')
      const error = await failed.then(
        () => null,
        (reason) => reason
      )
      assert.equal(error?.code, code, name)
    }
  })

  test('never takes a cell for another type than its column has', ({ assert }) => {
    const fields: Field[] = [{ name: 'n', type: 'number', empty: 'null' }]
    assert.equal(
      exampleRow(fields, { n: parseJson('12345678901234567890') }),
      '12345678901234567890'
    )
    assert.throws(() => exampleOf(fields, [{ text: 'true', quoted: false }]), /number should be/)
  })
})

function cut(text: string, size: number): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size))
  return pieces
}

/** Fields in one order: that of columns is not that of each example. */
function sorted(example: Example): [string, unknown][] {
  return Object.entries(example).sort(([a], [b]) => (a < b ? -1 : 1))
}
