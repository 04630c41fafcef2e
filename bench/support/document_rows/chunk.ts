import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { ChunkSet } from '../../../app/services/documents/artifacts.ts'
import { chunksInTurns, type ChunkOptions } from '../../../app/services/documents/chunks.ts'
import { installedDocuments } from '../../../app/services/documents/installed_documents.ts'
import { textOfBytes } from '../../../app/services/documents/text_bytes.ts'
import { Turns } from '../../../app/services/documents/turns.ts'
import { CorpusReader } from '../../../app/services/taxonomy/corpus.ts'
import { taxonomyOf } from '../../../app/services/taxonomy/taxonomy_tree.ts'
import { longestBlock, watched } from '../loop_delay.ts'
import { median } from '../rounds.ts'
import type { Measure } from '../types.ts'
import { madeMarkdown } from './made_documents.ts'
import type { DocumentRows } from './types.ts'

const MEGABYTES = 8
const CHUNKS = 5_000

const turns = () => new Turns(new AbortController().signal)

/**
 * Cutting a long document, and making a taxonomy of the documents of the packages installed here.
 */
export const chunkRows: DocumentRows = {
  name: 'chunk',
  async measure({ rounds = 3, tell }) {
    const text = textOfBytes(madeMarkdown(MEGABYTES * 1_048_576))
    const sized = { size: 1_000, overlap: 100 }
    return [
      ...(await cutting(text, { strategy: 'character', ...sized }, 20, rounds, tell)),
      ...(await cutting(text, { strategy: 'token', ...sized }, 3, rounds, tell)),
      ...(await taxonomy(rounds, tell)),
    ]
  },
}

async function cutting(
  text: string,
  options: ChunkOptions,
  floor: number,
  rounds: number,
  tell: (text: string) => void
): Promise<Measure[]> {
  const work = () => chunksInTurns(text, options, turns())
  /** The first round warms up. */
  await work()
  const found = []
  for (let round = 0; round < rounds; round++) found.push(await watched(work))
  const value = median(found.map(({ seconds }) => MEGABYTES / seconds))
  tell(`chunk by ${options.strategy}: ${Math.round(value)} MB/s`)
  return [
    { name: `chunk by ${options.strategy}`, value, unit: 'MB/s', floor },
    longestBlock(`chunk by ${options.strategy}`, found),
  ]
}

async function taxonomy(rounds: number, tell: (text: string) => void): Promise<Measure[]> {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const options = { strategy: 'character' as const, size: 800, overlap: 80 }
  const sets: { id: string; set: ChunkSet }[] = []
  let chunks = 0
  for (const path of await installedDocuments(root, 10_000)) {
    if (chunks === CHUNKS) break
    const text = textOfBytes(await readFile(`${root}/${path}`))
    const all = await chunksInTurns(text, options, turns())
    const some = all.slice(0, CHUNKS - chunks)
    sets.push({ id: path, set: { source: path, ...options, chunks: some } })
    chunks += some.length
  }
  const work = async () => {
    const reader = new CorpusReader(turns())
    for (const { id, set } of sets) await reader.add(id, set)
    await taxonomyOf(reader, { depth: 3, breadth: 10, fewest: 3 }, turns(), async () => {})
  }
  const found = []
  for (let round = 0; round < rounds; round++) found.push(await watched(work))
  const value = median(found.map(({ seconds }) => seconds))
  tell(`taxonomy of ${chunks} chunks: ${value.toFixed(1)} s`)
  return [
    { name: `taxonomy of ${chunks} chunks`, value, unit: 's', ceiling: 10 },
    longestBlock('taxonomy', found),
  ]
}
