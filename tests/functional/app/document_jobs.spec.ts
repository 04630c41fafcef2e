import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import type { JobContext } from '#queuedeck'
import Chunk from '#jobs/document_processing/chunk'
import Parse from '#jobs/document_processing/parse'
import { madePdf, textAt } from '#tests/helpers/made_pdf'
import { DocumentStore } from '#app/services/documents/document_store'

const FIXTURES = new URL('../../fixtures/documents/', import.meta.url)

test.group('Document jobs', (group) => {
  let root: string

  group.each.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'queuedeck-documents-'))
    await mkdir(join(root, 'storage'))
    await cp(FIXTURES, join(root, 'storage/uploads'), { recursive: true })
    return () => rm(root, { recursive: true, force: true })
  })

  const context = (signal = new AbortController().signal) => {
    const reports: { percent: number; stage?: string; done?: number; total?: number }[] = []
    const made = {
      job: {
        id: '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9',
        type: 'test',
        queue: 'documents',
        attempt: 1,
        run: 1,
      },
      signal,
      report: async (progress: (typeof reports)[number]) => void reports.push(progress),
      log: () => {},
      logger: new Proxy({}, { get: () => () => {} }),
    } as unknown as JobContext
    return { context: made, reports }
  }

  const parse = (documents: string[], made = context()) =>
    new Parse(new DocumentStore(root))
      .attach({ documents: documents.map((name) => `storage/uploads/${name}`) }, made.context)
      .execute()

  test('completes with warnings when some documents cannot be read', async ({ assert }) => {
    const { documents, warnings } = await parse([
      'g_password.pdf',
      'g_truncated.pdf',
      'g_no_tounicode.pdf',
      'g_empty_page.pdf',
      'g_bad_startxref.pdf',
    ])
    assert.deepEqual(warnings.map(({ source, code }) => [source.slice(16), code]).sort(), [
      ['g_bad_startxref.pdf', 'PDF_DAMAGED'],
      ['g_no_tounicode.pdf', 'PDF_UNKNOWN_LETTERS'],
      ['g_password.pdf', 'PDF_PASSWORD'],
      ['g_truncated.pdf', 'PDF_DAMAGED'],
    ])
    assert.lengthOf(documents, 3)
    assert.equal(documents.find(({ source }) => source.includes('empty'))?.pages, 3)
  })

  test('fails with a code of its own when every document cannot be read', async ({ assert }) => {
    const error = await parse(['g_password.pdf']).catch((reason) => reason)
    assert.equal(error.code, 'PDF_PASSWORD')
    assert.match(error.message, /g_password\.pdf needs a password/)
  })

  test('keeps a manifest that says which split covers which pages and which text', async ({
    assert,
  }) => {
    const pages = Array.from({ length: 7 }, (_, index) => ({
      content: textAt(60, 700, `Page ${index + 1} says this.`),
    }))
    await writeFile(join(root, 'storage/uploads/seven.pdf'), madePdf(pages))
    const { documents } = await parse(['seven.pdf'])
    const store = new DocumentStore(root)
    const manifest = await store.kept('manifests', documents[0].manifest)
    const { text } = await store.kept('parsed', manifest.parsed)
    assert.equal(manifest.parsed, documents[0].parsed)
    assert.equal(manifest.characters, text.length)
    assert.deepEqual(
      manifest.pages.map(({ number, start, end }) => [number, text.slice(start, end)]),
      pages.map((_, index) => [index + 1, `Page ${index + 1} says this.`])
    )
    assert.deepEqual(manifest.splits, documents[0].splits)
    assert.deepEqual(
      manifest.splits.map(({ firstPage, lastPage, start, end }) => [
        firstPage,
        lastPage,
        start === manifest.pages[firstPage - 1].start && end === manifest.pages[lastPage - 1].end,
      ]),
      [[1, 7, true]]
    )
  })

  test('reads nothing outside of its folders', async ({ assert }) => {
    for (const path of ['../../../etc/passwd', '../../.env']) {
      const error = await parse([path]).catch((reason) => reason)
      assert.equal(error.code, 'NOT_FOUND')
    }
  })

  test('stops at the next document when its signal says so', async ({ assert }) => {
    const controller = new AbortController()
    const made = context(controller.signal)
    controller.abort(new Error('cancelled'))
    const error = await parse(['g_fences.md'], made).catch((reason) => reason)
    assert.equal(error.message, 'cancelled')
    assert.lengthOf(made.reports, 0)
  })

  test('hands documents from parse to chunk, twice with the same bytes', async ({ assert }) => {
    const made = context()
    const first = await parse(['g_one_long_word.txt', 'g_fences.md'], made)
    assert.deepEqual(await parse(['g_one_long_word.txt', 'g_fences.md']), first)
    assert.deepInclude(made.reports.at(-1), { percent: 100, done: 2, total: 2 })

    const chunk = () =>
      new Chunk(new DocumentStore(root))
        .attach(
          {
            documents: first.documents.map(({ parsed }) => parsed),
            strategy: 'character',
            size: 512,
            overlap: 50,
          },
          context().context
        )
        .execute()
    const result = await chunk()
    assert.equal(JSON.stringify(await chunk()), JSON.stringify(result))
    assert.equal(result.documents[0].chunks, 11)
    assert.equal(result.chunks, 12)
  })
})
