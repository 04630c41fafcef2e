import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HttpContextFactory, RequestFactory, ResponseFactory } from '@adonisjs/core/factories/http'
import { test } from '@japa/runner'
import DatasetsController from '#controllers/datasets_controller'
import Convert from '#jobs/dataset_generation/convert'
import { DocumentStore } from '#services/documents/document_store'
import { jobContext } from './support/job_context.ts'

test.group('Datasets: download', () => {
  test('sends the files of the manifest as they were kept, harmless in a spreadsheet', async ({
    assert,
    cleanup,
  }) => {
    const root = await mkdtemp(join(tmpdir(), 'queuedeck-download-'))
    cleanup(() => rm(root, { recursive: true, force: true }))
    await mkdir(join(root, 'storage/uploads'), { recursive: true })
    const examples = ['=1+1', '@SUM(A1)', '-5.25', 'a\nb', 'he said "x"', '+cmd|calc', 'café']
    await writeFile(
      join(root, 'storage/uploads/a";b.jsonl'),
      examples.map((text) => JSON.stringify({ text, label: text })).join('\n')
    )
    const store = new DocumentStore(root)
    const { dataset, files } = await new Convert(store)
      .attach({ file: 'storage/uploads/a";b.jsonl', format: 'csv' }, jobContext().context)
      .execute()

    const controller = new DatasetsController(store)
    const server = createServer(async (req, res) => {
      const request = new RequestFactory().merge({ req, res }).create()
      const response = new ResponseFactory().merge({ req, res }).create()
      const ctx = new HttpContextFactory().merge({ request, response }).create()
      const [, id, file] = new URL(req.url!, 'http://a').pathname.split('/')
      ctx.params = { id, file: decodeURIComponent(file) }
      await controller.show(ctx)
      response.finish()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup(() => void server.close())
    const get = (name: string) =>
      fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${dataset}/${name}`)

    const manifest = await (await get('manifest.json')).json()
    assert.deepEqual(manifest.files, files)
    const [{ name, sha256, bytes }] = files
    const sent = await get(name)
    const body = Buffer.from(await sent.arrayBuffer())
    assert.equal(createHash('sha256').update(body).digest('hex'), sha256)
    assert.deepEqual(
      ['content-type', 'content-length', 'content-disposition', 'x-content-type-options'].map(
        (header) => sent.headers.get(header)
      ),
      ['text/csv; charset=utf-8', `${bytes}`, 'attachment; filename="a_b-data.csv"', 'nosniff']
    )
    assert.deepEqual(body.toString('utf8').split('\r\n'), [
      '\ufefftext,label',
      "'=1+1,'=1+1",
      "'@SUM(A1),'@SUM(A1)",
      '-5.25,-5.25',
      '"a\nb","a\nb"',
      '"he said ""x""","he said ""x"""',
      "'+cmd|calc,'+cmd|calc",
      'café,café',
      '',
    ])
    for (const other of ['none.csv', encodeURIComponent('../../uploads/a.jsonl')]) {
      assert.equal((await get(other)).status, 404, other)
    }
  })
})
