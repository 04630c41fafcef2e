import { mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import Chunk from '#jobs/document_processing/chunk'
import Parse from '#jobs/document_processing/parse'
import { DocumentStore } from '#services/documents/document_store'
import { jobContext } from './support/job_context.ts'

/** A run of a job whose attempts find what the ones before have kept; the first ends after so many documents. */
function run(after: number) {
  const kept = new Map<string, string>()
  const controller = new AbortController()
  const attempt = (signal?: AbortSignal) => ({
    ...jobContext(signal).context,
    checkpoints: new Map(kept),
    async checkpoint(name: string, json: string) {
      kept.set(name, json)
      if (JSON.parse(json).length === after) controller.abort(new Error('the worker stops'))
    },
  })
  return { first: attempt(controller.signal), next: () => attempt() }
}

test.group('Sets of documents', (group) => {
  let root: string
  group.setup(() => {
    root = mkdtempSync(join(tmpdir(), 'queuedeck-done-'))
    mkdirSync(join(root, 'storage/uploads'), { recursive: true })
    return () => rmSync(root, { recursive: true, force: true })
  })

  test('go on at the document after the last that was read, and cut, with the same result', async ({
    assert,
  }) => {
    const documents = [1, 2, 3].map((n) => `storage/uploads/d${n}.md`)
    documents.forEach((path, n) => writeFileSync(join(root, path), `# Part ${n}\n\nText ${n}.\n`))
    const store = new DocumentStore(root)
    const payload = { documents }
    const whole = await new Parse(store).attach(payload, jobContext().context).execute()

    const parsing = run(2)
    const stopped = new Parse(store).attach(payload, parsing.first).execute()
    await assert.rejects(() => stopped, 'the worker stops')
    /** What is done is not read again. */
    rmSync(join(root, documents[0]))
    rmSync(join(root, documents[1]))
    const again = await new Parse(store).attach(payload, parsing.next()).execute()
    assert.deepEqual(again, whole)

    const cut = {
      documents: whole.documents.map(({ parsed }) => parsed),
      strategy: 'character' as const,
      size: 10,
      overlap: 2,
    }
    const chunked = await new Chunk(store).attach(cut, jobContext().context).execute()
    const cutting = run(1)
    const cutStopped = new Chunk(store).attach(cut, cutting.first).execute()
    await assert.rejects(() => cutStopped, 'the worker stops')
    rmSync(join(root, `storage/parsed/${cut.documents[0]}.json`))
    assert.deepEqual(await new Chunk(store).attach(cut, cutting.next()).execute(), chunked)

    /** What was done and is gone is done again. */
    for (const file of readdirSync(join(root, 'storage/chunks'))) {
      rmSync(join(root, 'storage/chunks', file))
    }
    const rest = await new Chunk(store).attach(cut, cutting.next()).execute()
    assert.deepEqual(rest.documents, chunked.documents.slice(1))
  })
})
