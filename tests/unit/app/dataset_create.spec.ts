import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import Create from '#jobs/dataset_generation/create'
import Validate from '#jobs/dataset_generation/validate'
import { piecesOf } from '#services/datasets/create/plain_text'
import { questionsOf } from '#services/datasets/create/questions'
import { likeness, shinglesOf } from '#services/datasets/shingles'
import { TextMeasures } from '#services/datasets/text_measures'
import { learnableLabels, splitsOf } from '#services/datasets/create/splits'
import { summaryOf } from '#services/datasets/create/summary'
import { datasetDownload } from '#services/datasets/download'
import { random } from '#services/datasets/random'
import { DatasetVersions } from '#services/datasets/versions'
import type { Extract } from '#services/documents/artifacts'
import { DocumentStore } from '#services/documents/document_store'
import { Turns } from '#services/documents/turns'
import { jobContext } from './support/job_context.ts'

const README = `# Kettle [![Build](https://a.example/b.svg)](https://a.example)

Kettle is a small library for heating water. It supports **many** [kinds](https://b.example) of water.

## Usage

To heat the water, call the \`heat()\` method:

\`\`\`ts
kettle.heat()
\`\`\`

- \`limit\`: the temperature at which heating ends
- something else

### \`pour(cup)\`

Returns the amount of water that has been poured. The cup stays full.

## License

Kettle is licensed under the MIT license and so on.
`

test.group('Datasets: create', (group) => {
  let root: string
  let store: DocumentStore

  group.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'queuedeck-create-'))
    store = new DocumentStore(root)
    return () => rm(root, { recursive: true, force: true })
  })

  /** Each text stands in a second document too, and in an overlapping chunk, with a word more. */
  const extraction = async (count: number) => {
    const next = random(3)
    const word = () =>
      `word${'abcdefghij'[Math.floor(next() * 10)]}${'abcdefghij'[Math.floor(next() * 10)]}${'klmnop'[Math.floor(next() * 6)]}`
    const ids = ['fruit/apple', 'fruit/pear', 'tool']
    const extracts = Array.from({ length: count }, (_, at): Extract[] => {
      const sentences = Array.from(
        { length: 5 },
        () => `A${Array.from({ length: 14 }, word).join(' ')}.`
      )
      const text = `To add the ${word()}, call ${word()}. ${sentences.join(' ')}`
      const one = (source: string, start: number, more: string, id: string): Extract => ({
        id: `${id}${at}`,
        category: ids[at % 3],
        chunk: { set: 'a'.repeat(64), index: at },
        source,
        start,
        end: start + text.length,
        text: `${text}${more}`,
        confidence: 0.8,
        agreed: true,
      })
      return [
        one(`node_modules/a${at}/README.md`, 0, '', 'a'),
        one(`node_modules/b${at}/README.md`, 0, ' More.', 'b'),
        one(`node_modules/a${at}/README.md`, 30, ' Other.', 'c'),
      ]
    }).flat()
    const categories = ['fruit', ...ids].map((id) => ({
      id,
      name: id,
      parent: null,
      depth: 1,
      terms: [],
      chunks: [],
      confidence: 1,
    }))
    const taxonomy = await store.keep('taxonomies', {
      sets: [],
      depth: 2,
      categories,
      unplaced: [],
    })
    return store.keep('extractions', {
      taxonomy,
      categories: ids,
      mode: 'text',
      threshold: 0.5,
      extracts,
      rejected: 0,
    })
  }
  const create = (payload: Create['payload'], made = jobContext()) =>
    new Create(store).attach(payload, made.context).execute()
  const read = async (sha256: string) =>
    (await readFile(join(store.datasetFiles, `${sha256}.jsonl`), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

  test('shares examples out without leakage, whatever the kind', async ({ assert }) => {
    const id = await extraction(30)
    for (const kind of ['classification', 'question_answer', 'instruction', 'summary'] as const) {
      const result = await create({ extraction: id, kind })
      assert.deepEqual(
        result.files.map(({ split }) => split),
        ['train', 'validation', 'test']
      )
      assert.isTrue(
        result.files.every(({ examples }) => examples > 0),
        kind
      )
      const [{ examples: train }] = result.files
      assert.closeTo(train / result.examples, 0.8, 0.08, kind)
      const quality = await new Validate(store)
        .attach({ dataset: result.dataset }, jobContext().context)
        .execute()
      assert.deepEqual(quality.leakage, { examples: 0, share: 0 }, kind)
      assert.equal(quality.completeness.share, 1, kind)
    }
  })

  test('gives the same bytes and the same version again; another seed gives the next version', async ({
    assert,
  }) => {
    const payload = { extraction: await extraction(30), kind: 'summary' as const, name: 'Again' }
    const one = await create(payload)
    assert.equal(JSON.stringify(await create(payload)), JSON.stringify(one))
    assert.equal(one.version, 1)
    const other = await create({ ...payload, seed: 2 })
    assert.equal(other.version, 2)
    assert.notEqual(other.files[0].sha256, one.files[0].sha256)
    const ids = async (result: typeof one) =>
      (await Promise.all(result.files.map(({ sha256 }) => read(sha256))))
        .flat()
        .map((example) => example.id)
        .sort()
    assert.deepEqual(await ids(other), await ids(one))
  })

  test('says where each example comes from', async ({ assert }) => {
    const id = await extraction(20)
    const { files } = await create({ extraction: id, kind: 'classification' })
    const { extracts } = await store.kept('extractions', id)
    for (const { sha256 } of files) {
      for (const example of await read(sha256)) {
        const extract = extracts.find((one) => example.id === `${one.id}-1`)!
        assert.equal(example.source, extract.source)
        assert.deepEqual([example.start, example.end], [extract.start, extract.end])
        assert.isTrue(extract.category.startsWith(example.label))
      }
    }
  })

  test('offers its files for download, and nothing else', async ({ assert }) => {
    const id = await extraction(20)
    const { dataset, links, files } = await create({
      extraction: id,
      kind: 'summary',
      name: 'Sums',
    })
    assert.deepEqual(
      links.map(({ url }) => url),
      [...files.map(({ name }) => name), 'manifest.json'].map(
        (name) => `/datasets/${dataset}/${name}`
      )
    )
    for (const { name, bytes, sha256 } of files) {
      const found = await datasetDownload(store, dataset, name)
      const sent = await readFile(found.path)
      assert.equal(createHash('sha256').update(sent).digest('hex'), sha256)
      assert.deepEqual([found.bytes, found.name], [bytes, `Sums-${name}`])
      assert.equal(found.type, 'application/jsonl; charset=utf-8')
    }
    const manifest = await datasetDownload(store, dataset, 'manifest.json')
    assert.equal(
      JSON.parse(await readFile(manifest.path, 'utf8')).examples,
      files.reduce((sum, one) => sum + one.examples, 0)
    )
    for (const [one, name] of [
      [dataset, '../../datasets/x.json'],
      [dataset, 'none.jsonl'],
      ['../taxonomies', 'manifest.json'],
      ['c'.repeat(64), 'manifest.json'],
    ]) {
      const error = await datasetDownload(store, one, name).catch((reason) => reason)
      assert.equal(error.code, 'NOT_FOUND')
    }
  })

  test('fails with a code where nothing can be made, and leaves no file', async ({ assert }) => {
    const before = (await readdir(store.datasetFiles)).length
    const id = await extraction(2)
    const error = await create({ extraction: id, kind: 'classification', fewest: 100 }).catch(
      (reason) => reason
    )
    assert.equal(error.code, 'NO_EXAMPLES')
    assert.match(error.message, /no category with 100 examples: lower "fewest"/)
    const gone = await create({ extraction: 'b'.repeat(64), kind: 'summary' }).catch((one) => one)
    assert.equal(gone.code, 'NOT_FOUND')
    assert.lengthOf(await readdir(store.datasetFiles), before)
  })

  test('reads Markdown as a person does', ({ assert }) => {
    assert.deepEqual(
      piecesOf(README).map((piece) => `${piece.kind} ${piece.text}`),
      [
        'heading Kettle',
        'sentence Kettle is a small library for heating water.',
        'sentence It supports many kinds of water.',
        'heading Usage',
        'sentence To heat the water, call the `heat()` method:',
        'code kettle.heat()',
        'item the temperature at which heating ends',
        'sentence something else',
        'heading `pour(cup)`',
        'sentence Returns the amount of water that has been poured.',
        'sentence The cup stays full.',
      ]
    )
    assert.deepEqual(
      questionsOf(piecesOf(README), 'kettle').map(({ question }) => question),
      ['What is Kettle?', 'What is `limit` in kettle?', 'What does `pour()` do in kettle?']
    )
    for (const bomb of [
      '[![a]'.repeat(8_000),
      '<!--'.repeat(10_000),
      '*a'.repeat(20_000),
      '`'.repeat(40_000),
    ]) {
      const before = process.cpuUsage().user
      questionsOf(piecesOf(bomb), 'a')
      assert.isBelow((process.cpuUsage().user - before) / 1_000, 1_500, bomb.slice(0, 6))
    }
  })

  test('keeps what stands between ticks, and asks nothing that says nothing', ({ assert }) => {
    const markdown = [
      '# Options',
      '- `target`: The `<Link>` component of the page, *not* a `__proto__` of it',
      '- `false`: ignored defaults are not reported at all',
      '- `"fail"`: the exception is thrown at once',
      '- `get(key)`: Gets a value from the warm kettle',
      '',
      'Use the `pour` function for pouring. To open the lid, press the button on its side.',
      'Steam is the water that has left the kettle again.',
    ].join('\n')
    const pieces = piecesOf(markdown)
    assert.deepEqual(
      questionsOf(pieces, '@a/kettle').map(({ question, answer }) => `${question} ${answer}`),
      [
        'What is the option `target` of @a/kettle for? The `<Link>` component of the page, not a `__proto__` of it',
        'What does `get()` do in @a/kettle? Gets a value from the warm kettle',
        'How do you open the lid with @a/kettle? To open the lid, press the button on its side.',
        'What is Steam in @a/kettle? Steam is the water that has left the kettle again.',
      ]
    )
  })

  test('takes code of an item without the room in front of it', ({ assert }) => {
    const markdown = '1. ```py\n   if steam:\n       pour()\n   ```\n\n~~~\n  as it is\n~~~'
    assert.deepEqual(piecesOf(markdown), [
      { kind: 'code', text: 'if steam:\n    pour()', language: 'py' },
      { kind: 'code', text: '  as it is', language: '' },
    ])
  })

  test('reads no contents, and nothing of marks that are words', ({ assert }) => {
    const markdown =
      'Pie chart … 41\n4.37. Axis ..... 12\nSee the chart (p. 203) and others, e.g. \\_\\_init\\_\\_ or \\<b>. Then go on.\n\nName This is the name of the table of taxes.'
    const pieces = piecesOf(markdown)
    assert.deepEqual(
      pieces.flatMap((piece) => (piece.kind === 'sentence' ? piece.text : [])),
      [
        'See the chart (p. 203) and others, e.g. __init__ or <b>.',
        'Then go on.',
        'Name This is the name of the table of taxes.',
      ]
    )
    assert.deepEqual(questionsOf(pieces, 'money'), [])
  })

  test('sums up with sentences of the text, at most two fifths of it', ({ assert }) => {
    const text = Array.from(
      { length: 6 },
      (_, at) =>
        `Water number ${'one two three four five six'.split(' ')[at]} heats the kettle and fills the cup of tea again.`
    ).join(' ')
    const { summary } = summaryOf(piecesOf(text))!
    assert.isTrue(text.includes(summary.split('. ')[0]))
    assert.isAtMost(summary.length, text.length * 0.4)
    assert.isNull(summaryOf(piecesOf('Too short to be summed up at all.')))
  })

  test('sees what is nearly the same in other scripts, and counts their words', ({ assert }) => {
    const texts = [
      '任务在队列中等待，直到工人有空，然后开始运行它并且写下结果',
      'งานรออยู่ในคิวจนกว่าคนงานจะว่างแล้วจึงเริ่มทำงานและเขียนผลลัพธ์ลงในบันทึก',
      'تنتظر المهمة في الطابور حتى يصبح العامل متاحا ثم تبدأ في العمل وتكتب النتيجة',
      'कार्य कतार में प्रतीक्षा करता है जब तक कोई कर्मचारी खाली न हो और फिर चलता है',
      '😀😃😄😁😆😅😂🤣😊😇',
      '∀x ∃y → ⇒ ∈ ∑ ∏ ∫ ≤ ≥ ≠',
    ]
    for (const [at, text] of texts.entries()) {
      assert.isAbove(likeness(shinglesOf(text), shinglesOf(`${text}!😀`)), 0.75, text)
      for (const other of texts.slice(at + 1)) {
        assert.isBelow(likeness(shinglesOf(text), shinglesOf(other)), 0.1)
      }
    }
    const accents = 'Zwölf Boxkämpfer jagen Viktor quer über den großen Deich'
    assert.equal(likeness(shinglesOf(accents), shinglesOf(accents.normalize('NFD'))), 1)
    const wordsOf = (text: string) => new TextMeasures().add(text).words
    assert.deepEqual(texts.map(wordsOf), [27, 59, 14, 17, 0, 2])
  })

  test('moves rare labels up until they can be learned', async ({ assert }) => {
    const labels = ['a/b/c', 'a/b/c', 'a/b/d', 'a/e', 'f', 'g/h', 'g/h', 'g/h']
    assert.deepEqual(learnableLabels(labels, 3), [
      'a/b',
      'a/b',
      'a/b',
      null,
      null,
      'g/h',
      'g/h',
      'g/h',
    ])
    const examples = Array.from({ length: 100 }, (_, at) => ({
      id: `${at}`,
      label: at % 4 === 0 ? 'rare' : 'often',
      group: at - (at % 2),
    }))
    const shares = { train: 0.8, validation: 0.1, test: 0.1 }
    const turns = new Turns(new AbortController().signal)
    const splits = await splitsOf(examples, shares, 1, turns)
    for (const [at, { group: own }] of examples.entries()) assert.equal(splits[at], splits[own])
    assert.closeTo(splits.filter((split) => split === 'train').length, 80, 4)
    assert.notDeepEqual(await splitsOf(examples, shares, 2, turns), splits)
  })

  test('numbers versions once, however many ask at the same time', async ({ assert }) => {
    const versions = new DatasetVersions(join(root, 'versions'))
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, at) => versions.of('name', `id ${at % 4}`))
    )
    const again = await Promise.all([0, 1, 2, 3].map((at) => versions.of('Name', `id ${at}`)))
    assert.lengthOf(new Set(again), 4)
    for (const at of asked.keys())
      assert.equal(await versions.of('name', `id ${at % 4}`), again[at % 4])
  })
})
