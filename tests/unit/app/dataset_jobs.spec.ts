import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import Convert from '#jobs/dataset_generation/convert'
import Validate from '#jobs/dataset_generation/validate'
import { random } from '#services/datasets/random'
import { DocumentStore } from '#services/documents/document_store'
import { jobContext } from './support/job_context.ts'

test.group('Dataset jobs', (group) => {
  let root: string

  group.each.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'queuedeck-datasets-'))
    await mkdir(join(root, 'storage/uploads'), { recursive: true })
    return () => rm(root, { recursive: true, force: true })
  })

  const upload = async (name: string, examples: object[]) => {
    const text = examples.map((example) => JSON.stringify(example)).join('\n')
    await writeFile(join(root, 'storage/uploads', name), text)
    return `storage/uploads/${name}`
  }
  const convert = (payload: Convert['payload'], made = jobContext()) =>
    new Convert(new DocumentStore(root)).attach(payload, made.context).execute()
  const validate = (payload: Validate['payload'], made = jobContext()) =>
    new Validate(new DocumentStore(root)).attach(payload, made.context).execute()

  /** Sentences of words that no other text has in this order. */
  const sentences = (count: number, seed = 1) => {
    const next = random(seed)
    const word = () => `word${Math.floor(next() * 4_000)}`
    return Array.from({ length: count }, () => `${Array.from({ length: 40 }, word).join(' ')}.`)
  }
  const labelled = (texts: string[], labels = ['a', 'b', 'c']) =>
    texts.map((text, index) => ({ text, label: labels[index % labels.length] }))

  test('converts a file that was brought, twice with the same bytes', async ({ assert }) => {
    const file = await upload('one.jsonl', labelled(sentences(700)))
    const made = jobContext()
    const first = await convert({ file, format: 'csv' }, made)
    assert.equal(JSON.stringify(await convert({ file, format: 'csv' })), JSON.stringify(first))
    assert.equal(first.examples, 700)
    const [{ sha256, bytes, name }] = first.files
    const path = join(root, 'storage/dataset_files', `${sha256}.csv`)
    assert.equal((await readFile(path)).length, bytes)
    assert.equal(name, 'data.csv')
    assert.deepInclude(made.reports.at(-1), { percent: 100, done: 700, total: 700 })
    assert.isTrue(made.reports.some(({ stage, done }) => stage === 'Writing' && done === 500))
    const back = await convert({ dataset: first.dataset, format: 'jsonl' })
    assert.equal(
      await readFile(join(root, 'storage/dataset_files', `${back.files[0].sha256}.jsonl`), 'utf8'),
      `${await readFile(join(root, file), 'utf8')}\n`
    )
  })

  test('leaves no half of a file when it is cancelled', async ({ assert }) => {
    const file = await upload('one.jsonl', labelled(sentences(3_000)))
    const controller = new AbortController()
    const made = jobContext(controller.signal)
    made.context.report = async () => {
      if (made.reports.push({ percent: 0 }) === 3) controller.abort(new Error('cancelled'))
    }
    const error = await convert({ file, format: 'json' }, made).catch((reason) => reason)
    assert.equal(error.message, 'cancelled')
    assert.deepEqual(await readdir(join(root, 'storage/dataset_files')), [])
  })

  test('refuses what is no dataset with a code', async ({ assert }) => {
    for (const [payload, code] of [
      [{ file: '../../etc/passwd', format: 'csv' }, 'NOT_FOUND'],
      [{ file: 'storage/uploads/none.csv', format: 'csv' }, 'NOT_FOUND'],
      [{ file: 'storage/uploads/a.pdf', format: 'csv' }, 'UNKNOWN_FORMAT'],
      [{ dataset: 'a'.repeat(64), format: 'csv' }, 'NOT_FOUND'],
    ] as const) {
      const error = await convert(payload).catch((reason) => reason)
      assert.equal(error.code, code, JSON.stringify(payload))
    }
  })

  test('calls a dataset good that is', async ({ assert }) => {
    const file = await upload('good.jsonl', labelled(sentences(300)))
    const result = await validate({ file })
    assert.equal(result.verdict, 'good', JSON.stringify(result.findings))
    assert.equal(result.balance?.evenness, 1)
    assert.equal(JSON.stringify(await validate({ file })), JSON.stringify(result))
  })

  test('finds each of the ways in which a dataset is bad', async ({ assert }) => {
    const texts = sentences(300)
    const nearly = texts.slice(0, 30).map((text) => text.replace(/word\d+\.$/, 'else.'))
    const examples = [
      ...labelled(texts),
      ...labelled(nearly),
      { text: `  ${texts[10].toUpperCase()}!`, label: 'b' },
      { text: texts[50], label: 'a' },
      { text: texts[50], label: 'c' },
      { text: '', label: 'a' },
      { text: 'no label here at all' },
      { text: 'one of a kind that is', label: 'rare' },
    ]
    const result = await validate({ file: await upload('bad.jsonl', examples) })
    assert.equal(result.verdict, 'usable')
    assert.deepEqual(result.completeness, { complete: 334, share: 0.994 })
    assert.deepEqual(result.duplicates, { surplus: 33, exact: 2, near: 31 })
    assert.equal(result.contradictions, 1)
    const told = result.findings.map(({ path, message }) => `${path} ${message}`).join('\n')
    assert.match(told, /label "rare" has only 1 example$/m)
    assert.match(told, /data line 334 "text" is empty/)
    assert.match(told, /data line 335 "label" is empty/)
  })

  test('finds what the splits share', async ({ assert }) => {
    const texts = sentences(200)
    const store = new DocumentStore(root)
    const train = await convert({
      file: await upload('train.jsonl', labelled(texts)),
      format: 'jsonl',
    })
    const leaked = [...sentences(40, 2), ...texts.slice(0, 10).map((text) => `${text} More.`)]
    const other = await convert({
      file: await upload('test.jsonl', labelled(leaked)),
      format: 'jsonl',
    })
    const dataset = await store.keep('datasets', {
      ...(await store.kept('datasets', train.dataset)),
      kind: 'classification',
      examples: 250,
      files: [
        { ...train.files[0], split: 'train' },
        { ...other.files[0], split: 'test' },
      ],
    })
    const result = await validate({ dataset })
    assert.deepEqual(result.leakage, { examples: 10, share: 0.2 })
    assert.equal(result.verdict, 'unusable')
  })

  test('says what to name where no field is a text', async ({ assert }) => {
    const file = await upload('numbers.jsonl', [{ a: 1 }, { a: 2 }])
    const error = await validate({ file }).catch((reason) => reason)
    assert.match(error.message, /no field of text: name one in "text"/)
    const unknown = await validate({ file, label: 'b' }).catch((reason) => reason)
    assert.match(unknown.message, /has no field "b"; its fields: a/)
  })
})
