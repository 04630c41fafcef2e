import type { Category, ChunkSet, Taxonomy } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { beginningOf } from './beginning.ts'

export type Analysis = {
  /** How much of the chunks is in categories. */
  coverage: {
    chunks: number
    placed: number
    /** `placed / chunks`. */
    share: number
    /** Documents, those with the smallest share first. */
    documents: { source: string; chunks: number; placed: number; share: number }[]
  }
  /** How evenly chunks are spread, for the categories at the top and those below each. */
  balance: {
    /** `id` of the category above, null at the top. */
    parent: string | null
    categories: number
    /** Entropy of the shares over its largest value: 1 when all have the same number of chunks, near 0 when one has all. */
    evenness: number
    largest: { id: string; share: number }
  }[]
  levels: { depth: number; categories: number; chunks: number }[]
  /** Chunks in no category. */
  orphans: { source: string; set: string; index: number; text: string }[]
}

/** Documents and orphans that are named. */
const NAMED = 50
/** Of an orphan, characters that are shown. */
const BEGINNING = 120

/**
 * Measures a taxonomy. What is read of each chunk set is let go before the next.
 */
export async function analysisOf(
  taxonomy: Taxonomy,
  load: (id: string) => Promise<ChunkSet>,
  turns: Turns,
  tell: (done: number, total: number) => Promise<void>
): Promise<Analysis> {
  const placed = new Set(
    taxonomy.categories.flatMap(({ chunks }) => chunks.map(({ set, index }) => `${set}/${index}`))
  )
  const documents = new Map<string, { source: string; chunks: number; placed: number }>()
  const orphans: Analysis['orphans'] = []
  for (const [done, id] of taxonomy.sets.entries()) {
    await tell(done, taxonomy.sets.length)
    const { source, chunks } = await load(id)
    const document = documents.get(source) ?? { source, chunks: 0, placed: 0 }
    documents.set(source, document)
    for (const { index, text } of chunks) {
      if (turns.due()) await turns.give()
      document.chunks++
      if (placed.has(`${id}/${index}`)) document.placed++
      else if (orphans.length < NAMED) {
        orphans.push({ source, set: id, index, text: beginningOf(text, BEGINNING) })
      }
    }
  }
  const all = [...documents.values()]
  const chunks = all.reduce((sum, document) => sum + document.chunks, 0)
  const inCategories = all.reduce((sum, document) => sum + document.placed, 0)
  return {
    coverage: {
      chunks,
      placed: inCategories,
      share: share(inCategories, chunks),
      documents: all
        .map((document) => ({ ...document, share: share(document.placed, document.chunks) }))
        .sort((a, b) => a.share - b.share || (a.source < b.source ? -1 : 1))
        .slice(0, NAMED),
    },
    balance: balanceOf(taxonomy.categories),
    levels: levelsOf(taxonomy.categories),
    orphans,
  }
}

/** Chunks of each category with its descendants, by its `id`. */
export function sizesOf(categories: Category[]): Map<string, number> {
  const sizes = new Map(categories.map(({ id, chunks }) => [id, chunks.length]))
  for (const { id, parent } of categories.toReversed()) {
    if (parent !== null) sizes.set(parent, (sizes.get(parent) ?? 0) + sizes.get(id)!)
  }
  return sizes
}

function balanceOf(categories: Category[]): Analysis['balance'] {
  const sizes = sizesOf(categories)
  const families = Map.groupBy(categories, ({ parent }) => parent)
  return [...families].map(([parent, siblings]) => {
    const total = siblings.reduce((sum, { id }) => sum + sizes.get(id)!, 0)
    const shares = siblings.map(({ id }) => share(sizes.get(id)!, total))
    const entropy = shares.reduce((sum, part) => (part > 0 ? sum - part * Math.log(part) : sum), 0)
    const most = Math.max(...shares)
    return {
      parent,
      categories: siblings.length,
      evenness: siblings.length === 1 ? 1 : rounded(entropy / Math.log(siblings.length)),
      largest: { id: siblings[shares.indexOf(most)].id, share: most },
    }
  })
}

function levelsOf(categories: Category[]): Analysis['levels'] {
  return [...Map.groupBy(categories, ({ depth }) => depth)]
    .sort(([a], [b]) => a - b)
    .map(([depth, level]) => ({
      depth,
      categories: level.length,
      chunks: level.reduce((sum, { chunks }) => sum + chunks.length, 0),
    }))
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : rounded(part / whole)
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
