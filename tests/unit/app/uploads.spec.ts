import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { DocumentStore } from '#services/documents/document_store'
import { documentName } from '#services/pages/words'

test.group('Uploaded documents', () => {
  const names = {
    'Zwo\u0308lf.md': 'Zwölf.md',
    'हिन्दी.pdf': 'हिन्दी.pdf',
    'invoice\u202efdp.txt': 'invoice_fdp.txt',
    '../../etc/pass wd.txt': 'pass_wd.txt',
    [`${'文'.repeat(120)}.md`]: `${'文'.repeat(77)}.md`,
    [`${'😀'.repeat(3)}${'𠀀'.repeat(60)}.txt`]: `${'𠀀'.repeat(38)}.txt`,
  }
  for (const [sent, kept] of Object.entries(names)) {
    test(`keep their names: ${kept}`, async ({ assert, cleanup }) => {
      const root = await mkdtemp(join(tmpdir(), 'queuedeck-uploads-'))
      cleanup(() => rm(root, { recursive: true, force: true }))
      const store = new DocumentStore(root)
      const path = await store.keepUpload(sent, Buffer.from('text'))
      assert.equal(documentName(path), kept)
      assert.equal(await readFile(join(root, path), 'utf8'), 'text')
    })
  }
})
