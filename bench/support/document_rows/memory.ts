import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Chunk from '../../../app/jobs/document_processing/chunk.ts'
import Parse from '../../../app/jobs/document_processing/parse.ts'
import { DocumentStore } from '../../../app/services/documents/document_store.ts'
import { jobContext } from '../../../tests/unit/app/support/job_context.ts'
import type { Measure } from '../types.ts'
import { madeMarkdown, madePdf } from './made_documents.ts'
import type { DocumentRows } from './types.ts'

/** Documents of the smaller job; the larger one has four times as many. */
const FEW = 25

/** Every tenth document is a PDF file of so many pages, the others are Markdown. */
const PAGES = 30
const BYTES = 300_000

/** What four times as many documents may add to the memory in use. */
const GROWTH_MEGABYTES = 32

/**
 * Whether memory grows with the number of documents of a job: what is in use when all are read and cut, of few and of many.
 */
export const memoryRows: DocumentRows = {
  name: 'memory',
  async measure({ tell }) {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const root = await mkdtemp(join(tmpdir(), 'queuedeck-bench-'))
    const store = new DocumentStore(root)
    try {
      await mkdir(join(root, 'storage/uploads'), { recursive: true })
      const [pdf, text] = [await madePdf(PAGES), madeMarkdown(BYTES)]
      const documents = await Promise.all(
        Array.from({ length: 4 * FEW }, async (_, at) => {
          const path = `storage/uploads/${at}.${at % 10 === 0 ? 'pdf' : 'md'}`
          const own = Buffer.from(`# Document ${at}\n\n`)
          await writeFile(join(root, path), at % 10 === 0 ? pdf : Buffer.concat([own, text]))
          return path
        })
      )
      const used = async (some: string[]) => {
        await readAndCut(store, some)
        for (let round = 0; round < 3; round++) collect()
        return process.memoryUsage().rss / 1_048_576
      }
      /** The first run loads and warms what is needed. */
      await used(documents.slice(0, FEW))
      const few = await used(documents.slice(0, FEW))
      const many = await used(documents)
      tell(`memory: ${few.toFixed(0)} MB with ${FEW}, ${many.toFixed(0)} MB with ${4 * FEW}`)
      const measure: Measure = {
        name: `memory, ${FEW} to ${4 * FEW} documents`,
        value: many - few,
        unit: 'MB',
        ceiling: GROWTH_MEGABYTES,
      }
      return [measure]
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  },
}

async function readAndCut(store: DocumentStore, documents: string[]): Promise<void> {
  const parsed = await new Parse(store).attach({ documents }, jobContext().context).execute()
  const options = { strategy: 'token' as const, size: 256, overlap: 32 }
  await new Chunk(store)
    .attach(
      { documents: parsed.documents.map((one) => one.parsed), ...options },
      jobContext().context
    )
    .execute()
}
