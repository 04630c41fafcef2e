import { spawn } from 'node:child_process'
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import Parse from '#jobs/document_processing/parse'
import { DocumentStore } from '#services/documents/document_store'
import { KeptPages } from '#services/documents/pdf/kept_pages'
import { madePdf, textAt } from '#tests/helpers/made_pdf'
import { waitFor } from '#tests/helpers/wait'
import { jobContext } from './support/job_context.ts'

const CHILD = fileURLToPath(new URL('support/parse_child.ts', import.meta.url))
const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url))
const DOCUMENT = 'storage/uploads/long.pdf'

test.group('Pages that are kept', () => {
  const made = async (pdf: Uint8Array, cleanup: (after: () => Promise<void>) => void) => {
    const root = await mkdtemp(join(tmpdir(), 'queuedeck-pages-'))
    cleanup(() => rm(root, { recursive: true, force: true }))
    await mkdir(join(root, 'storage/uploads'), { recursive: true })
    await writeFile(join(root, DOCUMENT), pdf)
    return { root, store: new DocumentStore(root) }
  }
  const pdf = madePdf(
    Array.from({ length: 180 }, (_, page) => ({
      content: textAt(60, 700, `Page ${page + 1} says that it is the one of this number.`),
    }))
  )

  test('are there when the process is killed: the next attempt goes on behind them, with the same bytes', async ({
    assert,
    cleanup,
  }) => {
    const whole = await made(pdf, cleanup)
    const payload = { documents: [DOCUMENT] }
    const expected = await new Parse(whole.store).attach(payload, jobContext().context).execute()
    assert.deepEqual(await readdir(whole.store.readPages), [])

    const { root, store } = await made(pdf, cleanup)
    const file = join(root, 'checkpoints.json')
    const child = spawn(
      process.execPath,
      ['--import=./bin/typescript.js', CHILD, root, DOCUMENT, file],
      { cwd: PACKAGE, stdio: 'ignore' }
    )
    const ended = new Promise((resolve) => child.once('exit', resolve))
    cleanup(async () => {
      child.kill('SIGKILL')
      await ended
    })
    const saved = await waitFor('the first pages to be kept', () => readFile(file, 'utf8'))
    child.kill('SIGKILL')
    await ended

    const checkpoints = new Map(Object.entries(JSON.parse(saved) as Record<string, string>))
    const { file: name, pages } = JSON.parse(checkpoints.get('pages')!)
    assert.equal(pages, 50)
    /** As a kill in the middle of a write leaves it. */
    await appendFile(join(store.readPages, name), Buffer.from([9, 9, 0, 0, 1]))
    const reports: number[] = []
    const context = {
      ...jobContext().context,
      checkpoints,
      report: async ({ percent }: { percent: number }) => void reports.push(percent),
      checkpoint: async () => {},
    }
    const bytes = new Uint8Array(pdf)
    const kept = await KeptPages.open({
      folder: store.readPages,
      document: 0,
      bytes,
      saved: JSON.parse(checkpoints.get('pages')!),
      save: async () => {},
    })
    assert.equal(kept.size, 50)
    assert.deepEqual(await new Parse(store).attach(payload, context).execute(), expected)
    assert.deepEqual(await readdir(store.readPages), [])
  })

  test('are forgotten when the document is another one', async ({ assert, cleanup }) => {
    const { store } = await made(pdf, cleanup)
    const options = { folder: store.readPages, document: 0, bytes: new Uint8Array(pdf) }
    let saved: unknown
    const first = await KeptPages.open({
      ...options,
      saved: null,
      save: async (value) => void (saved = value),
    })
    for (let page = 1; page <= 50; page++) {
      await first.add(page, { content: { lines: [], height: page }, unknown: false })
    }
    const open = (other: object, from = saved) =>
      KeptPages.open({ ...options, save: async () => {}, saved: from, ...other })
    assert.deepEqual((await open({})).known(7), {
      content: { lines: [], height: 7 },
      unknown: false,
    })
    assert.equal((await open({ document: 1 })).size, 0)
    assert.equal((await open({ bytes: new Uint8Array(9) })).size, 0)
    assert.equal((await open({}, { ...(saved as object), file: '../../etc/passwd' })).size, 0)
    await first.discard()
    assert.equal((await open({})).size, 0)
  })

  test('stay without an open file when the job is cancelled', async ({ assert, cleanup }) => {
    const { store } = await made(pdf, cleanup)
    const controller = new AbortController()
    const context = {
      ...jobContext(controller.signal).context,
      checkpoint: async () => controller.abort(new Error('cancelled')),
    }
    const job = new Parse(store).attach({ documents: [DOCUMENT] }, context)
    await assert.rejects(() => job.execute(), 'cancelled')
    const [name] = await readdir(store.readPages)
    const path = join(store.readPages, name)
    const open = (await readdir('/proc/self/fd')).map((fd) =>
      readlink(`/proc/self/fd/${fd}`).catch(() => '')
    )
    assert.notInclude(await Promise.all(open), path)
  }).skip(process.platform !== 'linux', 'only Linux tells')
})
