import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Convert from '../../../app/jobs/dataset_generation/convert.ts'
import Create from '../../../app/jobs/dataset_generation/create.ts'
import Validate from '../../../app/jobs/dataset_generation/validate.ts'
import Selective from '../../../app/jobs/extraction/selective.ts'
import { random } from '../../../app/services/datasets/random.ts'
import type { Category, Extract } from '../../../app/services/documents/artifacts.ts'
import { DocumentStore } from '../../../app/services/documents/document_store.ts'
import { jobContext } from '../../../tests/unit/app/support/job_context.ts'
import { longestBlock, watched } from '../loop_delay.ts'
import { median } from '../rounds.ts'
import type { Measure } from '../types.ts'
import type { DocumentRows } from './types.ts'

const SETS = 50
const CHUNKS_OF_SET = 100
const EXAMPLES = 50_000
const CATEGORIES = 60

/**
 * Extraction and datasets, as their jobs do it.
 */
export const datasetRows: DocumentRows = {
  name: 'datasets',
  async measure({ rounds = 3, tell }) {
    const root = await mkdtemp(join(tmpdir(), 'queuedeck-bench-'))
    const store = new DocumentStore(root)
    try {
      const measures: Measure[] = []
      const row = async <Output>(name: string, ceiling: number, work: () => Promise<Output>) => {
        const found = []
        for (let round = 0; round < rounds; round++) found.push(await watched(work))
        const value = median(found.map(({ seconds }) => seconds))
        tell(`${name}: ${value.toFixed(1)} s`)
        measures.push({ name, value, unit: 's', ceiling }, longestBlock(name, found))
        return found[0].output
      }
      const corpus = await made(store)
      await row(`extraction, ${SETS * CHUNKS_OF_SET} chunks`, 15, () =>
        new Selective(store).attach({ taxonomy: corpus.taxonomy }, jobContext().context).execute()
      )
      const { dataset } = await row(`dataset, ${EXAMPLES} examples`, 10, () =>
        new Create(store)
          .attach(
            { extraction: corpus.extraction, kind: 'classification' as const },
            jobContext().context
          )
          .execute()
      )
      await row('dataset to CSV', 10, () =>
        new Convert(store)
          .attach({ dataset, format: 'csv' as const }, jobContext().context)
          .execute()
      )
      await row('dataset validated', 10, () =>
        new Validate(store).attach({ dataset }, jobContext().context).execute()
      )
      return measures
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  },
}

/** Documents about made-up topics, a taxonomy of them, and as many extracts as examples are wanted. */
async function made(store: DocumentStore): Promise<{ taxonomy: string; extraction: string }> {
  const next = random(1)
  const word = () =>
    Array.from({ length: 6 }, () => String.fromCharCode(97 + Math.floor(next() * 26))).join('')
  const common = Array.from({ length: 4_000 }, word)
  const topics = Array.from({ length: CATEGORIES }, () => Array.from({ length: 12 }, word))
  const pick = (words: string[]) => words[Math.floor(next() * words.length)]
  const text = (topic: number, words: number) =>
    `${Array.from({ length: words }, () => pick(next() < 0.15 ? topics[topic] : common)).join(' ')}.`
  const categories = topics.map((terms, at): Category => ({
    id: `topic-${at}`,
    name: `Topic ${at}`,
    parent: null,
    depth: 1,
    terms: terms.map((term, place) => ({ term, weight: 1 - place / 20 })),
    chunks: [],
    confidence: 1,
  }))
  const sets: string[] = []
  for (let number = 0; number < SETS; number++) {
    let end = -2
    const chunks = Array.from({ length: CHUNKS_OF_SET }, (_, index) => {
      const part = text((number + index) % CATEGORIES, 150)
      const start = end + 2
      end = start + part.length
      return { index, start, end, length: part.length, text: part }
    })
    const set = await store.keep('chunks', {
      source: `document ${number}`,
      strategy: 'character',
      size: 1_500,
      overlap: 0,
      chunks,
    })
    sets.push(set)
    for (const { index } of chunks) {
      categories[(number + index) % CATEGORIES].chunks.push({ set, index })
    }
  }
  const taxonomy = await store.keep('taxonomies', { sets, depth: 1, categories, unplaced: [] })
  const extracts = Array.from({ length: EXAMPLES }, (_, at): Extract => {
    const part = text(at % CATEGORIES, 60)
    const [source, start] = [`document ${at >> 7}`, (at & 127) * 1_000]
    return {
      id: `e${at}`,
      category: `topic-${at % CATEGORIES}`,
      chunk: { set: sets[0], index: at },
      source,
      start,
      end: start + part.length,
      text: part,
      confidence: 0.8,
      agreed: true,
    }
  })
  const extraction = await store.keep('extractions', {
    taxonomy,
    categories: categories.map(({ id }) => id),
    mode: 'text',
    threshold: 0.5,
    extracts,
    rejected: 0,
  })
  return { taxonomy, extraction }
}
