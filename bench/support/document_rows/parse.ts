import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DocumentStore } from '../../../app/services/documents/document_store.ts'
import {
  parseDocument,
  type ParsedDocument,
} from '../../../app/services/documents/parsed_document.ts'
import { longestBlock, watched } from '../loop_delay.ts'
import { median } from '../rounds.ts'
import type { Measure } from '../types.ts'
import { madeMarkdown, madePdf } from './made_documents.ts'
import type { DocumentRows } from './types.ts'

const PAGES = 600
const MEGABYTES = 24
const SPLIT = { pages: 10, overlap: 1 }

/**
 * Parsing, with keeping what was made of PDF files as the job does it.
 */
export const parseRows: DocumentRows = {
  name: 'parse',
  async measure({ rounds = 3, tell }) {
    const root = await mkdtemp(join(tmpdir(), 'queuedeck-bench-'))
    const store = new DocumentStore(root)
    const keep = async (document: ParsedDocument) => store.keep('parsed', document)
    try {
      const pdf = await madePdf(PAGES)
      const text = madeMarkdown(MEGABYTES * 1_048_576)
      return [
        ...(await rate('PDF', 'pages/s', PAGES, 300, rounds, tell, async () =>
          keep(await parseDocument('a.pdf', pdf, SPLIT))
        )),
        ...(await rate('Markdown', 'MB/s', MEGABYTES, 50, rounds, tell, () =>
          parseDocument('a.md', text, SPLIT)
        )),
        ...(await rate('text', 'MB/s', MEGABYTES, 50, rounds, tell, () =>
          parseDocument('a.txt', text, SPLIT)
        )),
        ...(await rate('text and keep it', 'MB/s', MEGABYTES, undefined, rounds, tell, async () =>
          keep(await parseDocument('a.txt', text, SPLIT))
        )),
      ]
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  },
}

async function rate(
  name: string,
  unit: string,
  amount: number,
  floor: number | undefined,
  rounds: number,
  tell: (text: string) => void,
  work: () => Promise<unknown>
): Promise<Measure[]> {
  /** The first round warms up. */
  await work()
  const found = []
  for (let round = 0; round < rounds; round++) found.push(await watched(work))
  const value = median(found.map(({ seconds }) => amount / seconds))
  tell(`parse ${name}: ${Math.round(value)} ${unit}`)
  return [{ name: `parse ${name}`, value, unit, floor }, longestBlock(`parse ${name}`, found)]
}
