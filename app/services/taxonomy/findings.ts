import type { Category, ChunkRef, Taxonomy } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { sizesOf } from './analysis.ts'
import { stemOf } from './stems.ts'

/** `error`: it contradicts itself or its chunks. `warning`: it will serve badly. `note`: worth a look. */
export type Severity = 'error' | 'warning' | 'note'

export type Finding = {
  severity: Severity
  /** Stable, for programs. */
  code: string
  /** `id` of a category; empty for the taxonomy as a whole. */
  path: string
  message: string
}

/** `invalid` with errors, `usable` with warnings, else `valid`. */
export type Verdict = 'valid' | 'usable' | 'invalid'

const LEAST_COVERAGE = 0.6
const LEAST_CONFIDENCE = 0.4
/** Of all chunks in one category at the top, and of a category's chunks in one child. */
const LARGEST_TOP = 0.5
const LARGEST_CHILD = 0.9

/**
 * Whether a taxonomy is complete and consistent.
 *
 * @param sizes number of chunks of each set that exists
 */
export async function findingsOf(
  taxonomy: Taxonomy,
  sizes: Map<string, number>,
  turns: Turns
): Promise<Finding[]> {
  const findings: Finding[] = []
  const report = (severity: Severity, code: string, path: string, message: string) =>
    void findings.push({ severity, code, path, message })
  await checkTree(taxonomy, turns, report)
  await checkChunks(taxonomy, sizes, turns, report)
  checkBalance(taxonomy, report)
  const order: Severity[] = ['error', 'warning', 'note']
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
}

export function verdictOf(findings: Finding[]): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'invalid'
  return findings.some(({ severity }) => severity === 'warning') ? 'usable' : 'valid'
}

type Report = (severity: Severity, code: string, path: string, message: string) => void

async function checkTree({ categories, depth }: Taxonomy, turns: Turns, report: Report) {
  const seen = new Map<string, Category>()
  const names = new Map<string, string>()
  if (categories.length === 0) report('error', 'EMPTY', '', 'It has no category')
  for (const category of categories) {
    if (turns.due()) await turns.give()
    const { id, name, parent } = category
    if (seen.has(id)) report('error', 'ID_TWICE', id, `Two categories have the id "${id}"`)
    seen.set(id, category)
    if (name.trim() === '') report('error', 'NO_NAME', id, 'It has no name')
    const above = parent === null ? null : seen.get(parent)
    if (above === undefined) {
      report('error', 'PARENT_MISSING', id, `Its parent "${parent}" does not stand before it`)
    } else if (category.depth !== (above?.depth ?? 0) + 1) {
      report('error', 'DEPTH_WRONG', id, `Its depth ${category.depth} is not that of its place`)
    }
    if (category.depth > depth) {
      report('error', 'TOO_DEEP', id, `It is on level ${category.depth} of at most ${depth}`)
    }
    if (!(category.confidence >= 0 && category.confidence <= 1)) {
      report('error', 'CONFIDENCE_RANGE', id, `Its confidence ${category.confidence} is not 0 to 1`)
    } else if (category.confidence < LEAST_CONFIDENCE) {
      report('warning', 'CONFIDENCE_LOW', id, `Its confidence is ${category.confidence} only`)
    }
    const key = name.split(/\s+/).map(stemOf).join(' ')
    const twin = names.get(key)
    if (twin === undefined) names.set(key, id)
    else if (seen.get(twin)!.parent === parent) {
      report('warning', 'NAME_TWICE', id, `Its sibling "${twin}" has the same name`)
    } else report('note', 'NAME_ELSEWHERE', id, `"${twin}" has the same name in another branch`)
  }
}

async function checkChunks(
  { categories, unplaced, sets }: Taxonomy,
  sizes: Map<string, number>,
  turns: Turns,
  report: Report
) {
  const owners = new Map<string, string>()
  const own = async (chunks: ChunkRef[], path: string) => {
    for (const { set, index } of chunks) {
      if (turns.due()) await turns.give()
      const key = `${set}/${index}`
      if (!sets.includes(set) || !(index >= 0 && index < (sizes.get(set) ?? Infinity))) {
        report('error', 'CHUNK_UNKNOWN', path, `It names a chunk that is not there: ${key}`)
      }
      const owner = owners.get(key)
      if (owner !== undefined) {
        const other = owner === '' ? 'what is unplaced' : `"${owner}"`
        report('error', 'CHUNK_TWICE', path, `Its chunk ${key} is in ${other} too`)
      }
      owners.set(key, path)
    }
  }
  for (const { id, chunks } of categories) await own(chunks, id)
  await own(unplaced, '')
  for (const set of sets) {
    const size = sizes.get(set)
    if (size === undefined) {
      report('error', 'SET_MISSING', '', `The chunk set ${set} is not kept any more: cut it again`)
      continue
    }
    let missing = 0
    for (let index = 0; index < size; index++) if (!owners.has(`${set}/${index}`)) missing++
    if (missing > 0) {
      report('error', 'CHUNK_MISSING', '', `${missing} chunks of the set ${set} are nowhere in it`)
    }
  }
}

function checkBalance({ categories, unplaced }: Taxonomy, report: Report) {
  const sizes = sizesOf(categories)
  const placed = categories.reduce((sum, { chunks }) => sum + chunks.length, 0)
  const all = placed + unplaced.length
  if (placed < LEAST_COVERAGE * all) {
    report('warning', 'COVERAGE_LOW', '', `Only ${placed} of ${all} chunks are in a category`)
  }
  const children = Map.groupBy(categories, ({ parent }) => parent)
  for (const { id, parent } of categories) {
    const size = sizes.get(id)!
    if (size === 0) report('error', 'NO_CHUNKS', id, 'Neither it nor anything below it has a chunk')
    if (parent === null && size > LARGEST_TOP * placed) {
      report('warning', 'TOO_LARGE', id, `It has ${size} of all ${placed} chunks: too wide to help`)
    }
    const below = children.get(id) ?? []
    if (below.length === 1) {
      report('warning', 'ONLY_CHILD', id, `It has only one category below, "${below[0].id}"`)
    }
    for (const child of below) {
      if (below.length > 1 && sizes.get(child.id)! > LARGEST_CHILD * size) {
        report('warning', 'CHILD_LIKE_PARENT', child.id, `It has nearly all chunks of "${id}"`)
      }
    }
  }
}
