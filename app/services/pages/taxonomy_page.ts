import type { Category, Taxonomy } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'
import type { DocumentStore } from '#services/documents/document_store'
import { Turns } from '#services/documents/turns'
import { sizesOf } from '#services/taxonomy/analysis'
import { type Finding, findingsOf, verdictOf } from '#services/taxonomy/findings'
import { counted, percent } from './words.ts'

/** Categories and findings that a page shows. */
const MOST_CATEGORIES = 2_000
const MOST_FINDINGS = 100

/** Looking at all chunks of a taxonomy ends here, in ms. */
const PATIENCE = 20_000

/** Findings of the taxonomies that were looked at last: what is kept never changes. */
const REMEMBERED = 8
const remembered = new Map<string, Finding[]>()

export type TreeNode = {
  id: string
  name: string
  /** Of the chunks of the category above; 0 to 100. */
  share: number
  chunks: string
  confidence: string
  terms: string
  open: boolean
  children: TreeNode[]
}

/**
 * A taxonomy as a tree with what validation finds in it.
 *
 * @throws DocumentProblem NOT_FOUND
 */
export async function taxonomyPage(store: DocumentStore, id: string) {
  const taxonomy = await store.kept('taxonomies', id)
  const { categories, unplaced, sets } = taxonomy
  const placed = categories.reduce((sum, { chunks }) => sum + chunks.length, 0)
  const total = placed + unplaced.length
  const findings = await foundIn(store, id, taxonomy)
  return {
    id,
    tree: treeOf(categories.slice(0, MOST_CATEGORIES), placed),
    left: Math.max(0, categories.length - MOST_CATEGORIES),
    facts: [
      ['Categories', categories.length.toLocaleString('en')],
      ['Levels', `${Math.max(0, ...categories.map(({ depth }) => depth))} of ${taxonomy.depth}`],
      ['Documents', sets.length.toLocaleString('en')],
      ['Chunks', total.toLocaleString('en')],
      ['Placed', `${placed.toLocaleString('en')}, ${percent(total === 0 ? 0 : placed / total)}`],
      ['In no category', unplaced.length.toLocaleString('en')],
    ],
    verdict: verdictOf(findings),
    marks: { valid: 'completed', usable: 'suspect', invalid: 'failed' },
    findings: findings.slice(0, MOST_FINDINGS).map(({ severity, path, message }) => ({
      mark: { error: 'failed', warning: 'suspect', note: 'pending' }[severity],
      ...{ severity, path, message },
    })),
    moreFindings: Math.max(0, findings.length - MOST_FINDINGS),
  }
}

async function foundIn(store: DocumentStore, id: string, taxonomy: Taxonomy): Promise<Finding[]> {
  const known = remembered.get(id)
  if (known !== undefined) return known
  const sizes = new Map<string, number>()
  for (const set of taxonomy.sets) {
    try {
      sizes.set(set, (await store.kept('chunks', set)).chunks.length)
    } catch (error) {
      /** A set that is gone is a finding. */
      if (!(error instanceof DocumentProblem)) throw error
    }
  }
  const findings = await findingsOf(taxonomy, sizes, new Turns(AbortSignal.timeout(PATIENCE)))
  /** What is gone may come back. */
  if (sizes.size === taxonomy.sets.length) {
    if (remembered.size === REMEMBERED) remembered.delete([...remembered.keys()][0])
    remembered.set(id, findings)
  }
  return findings
}

function treeOf(categories: Category[], placed: number): TreeNode[] {
  const sizes = sizesOf(categories)
  const nodes = new Map<string, TreeNode>()
  const top: TreeNode[] = []
  for (const { id, name, parent, confidence, terms } of categories) {
    const size = sizes.get(id)!
    const whole = parent === null ? placed : (sizes.get(parent) ?? placed)
    const node: TreeNode = {
      ...{ id, name },
      share: whole === 0 ? 0 : Math.round((size / whole) * 100),
      chunks: counted(size, 'chunk'),
      confidence: percent(confidence),
      terms: terms
        .slice(0, 6)
        .map(({ term }) => term)
        .join(', '),
      open: parent === null,
      children: [],
    }
    nodes.set(id, node)
    const siblings = parent === null ? top : (nodes.get(parent)?.children ?? top)
    siblings.push(node)
  }
  return top
}
