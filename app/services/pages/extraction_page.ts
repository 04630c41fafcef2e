import type { Chunk } from '#services/documents/chunks'
import type { ChunkSet, Extract } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'
import type { DocumentStore } from '#services/documents/document_store'
import { extractionHead, keptExtracts } from '#services/extraction/kept_extracts'
import { counted, documentName, percent } from './words.ts'

/** Extracts of one page. */
const ROWS = 20

/** Text around an extract, and of it, that is shown, in UTF-16 units. */
const AROUND = 400
const LONGEST = 4_000

/**
 * One page of what was extracted, each in its text.
 *
 * @param category only extracts of it and of those below it
 * @throws DocumentProblem NOT_FOUND
 */
export async function extractionPage(
  store: DocumentStore,
  id: string,
  category: string,
  asked: number
) {
  const path = store.artifact('extractions', id)
  const { taxonomy, mode, threshold } = await extractionHead(path)
  const names = new Map(
    (await store.kept('taxonomies', taxonomy)).categories.map((one) => [one.id, one.name])
  )
  const wanted = (one: string) =>
    category === '' || one === category || one.startsWith(`${category}/`)
  const page = Math.max(1, asked)
  const counts = new Map<string, number>()
  const shown: Extract[] = []
  let [all, matching] = [0, 0]
  for await (const extract of keptExtracts(path)) {
    all++
    counts.set(extract.category, (counts.get(extract.category) ?? 0) + 1)
    if (!wanted(extract.category)) continue
    matching++
    if (matching > (page - 1) * ROWS && shown.length < ROWS) shown.push(extract)
  }
  const sets = new Map<string, ChunkSet | null>()
  const rows = []
  for (const extract of shown) {
    const { set: setId, index } = extract.chunk
    if (!sets.has(setId)) sets.set(setId, await setOf(store, setId))
    rows.push({
      id: extract.id,
      name: documentName(extract.source),
      path: extract.source,
      category: pathOf(names, extract.category),
      categoryId: extract.category,
      confidence: percent(extract.confidence),
      agreed: extract.agreed,
      chunks: `/chunks/${setId}`,
      text: inItsText(extract, sets.get(setId)?.chunks[index]),
      kinds: [...new Set((extract.entities ?? []).map(({ kind }) => kind))].join(', '),
    })
  }
  return {
    ...{ id, taxonomy, mode, rows, page, category },
    count: counted(matching, 'extract'),
    threshold: percent(threshold),
    all: counted(all, 'extract'),
    categories: [...counts]
      .map(([one, count]) => ({ id: one, name: pathOf(names, one), count }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    newer: page > 1 ? page - 1 : null,
    older: matching > page * ROWS ? page + 1 : null,
  }
}

async function setOf(store: DocumentStore, id: string): Promise<ChunkSet | null> {
  try {
    return await store.kept('chunks', id)
  } catch (error) {
    if (error instanceof DocumentProblem) return null
    throw error
  }
}

/** The names from the top to a category. */
function pathOf(names: Map<string, string>, id: string): string {
  const parts = id.split('/')
  return parts
    .map((part, index) => names.get(parts.slice(0, index + 1).join('/')) ?? part)
    .join(' › ')
}

/**
 * An extract in the text around it, and what it names. Where the chunk is gone it is the extract alone.
 */
function inItsText(extract: Extract, chunk: Chunk | undefined) {
  const { start, text, entities = [] } = extract
  const end = Math.min(extract.end, start + LONGEST)
  const tokens: { text: string; kind: string | null }[] = []
  let at = start
  for (const entity of [...entities].sort((a, b) => a.start - b.start)) {
    if (entity.start < at || entity.end > end) continue
    tokens.push({ text: text.slice(at - start, entity.start - start), kind: null }, entity)
    at = entity.end
  }
  const rest = text.slice(at - start, end - start) + (end < extract.end ? '…' : '')
  tokens.push({ text: rest, kind: null })
  if (chunk === undefined || start < chunk.start || start > chunk.end)
    return { before: '', tokens, behind: '' }
  const from = start - chunk.start
  const to = extract.end - chunk.start
  const before = chunk.text
    .slice(Math.max(0, from - AROUND), from)
    .toWellFormed()
    .trimStart()
  const behind = chunk.text.slice(to, to + AROUND).toWellFormed()
  return {
    before: (from > AROUND ? '…' : '') + before,
    tokens,
    behind: behind + (extract.end + AROUND < chunk.end ? '…' : ''),
  }
}
