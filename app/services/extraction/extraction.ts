import { hash } from 'node:crypto'
import type { Category, Extract, Taxonomy } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'
import type { Turns } from '#services/documents/turns'
import { type Classifier, sameBranch } from './classifier.ts'
import { entitiesOf } from './entities.ts'
import type { Passage } from './passages.ts'

/** How much each part counts in the confidence. */
const PRIMARY = 0.5
const VALIDATION = 0.3
const AGREEMENT = 0.2

export type ExtractOptions = {
  /** Numbers of the categories that are wanted, with all below them. */
  wanted: ReadonlySet<number>
  mode: 'text' | 'entities'
  threshold: number
  signal: AbortSignal
}

export type Found = {
  extracts: Extract[]
  /** Wanted by the primary classifier, but below the threshold; in `disagreed` of them the other saw another branch. */
  rejected: number
  disagreed: number
  /** Passages about no category, or about one that is not wanted. */
  elsewhere: number
}

/**
 * Numbers of the named categories and of all below them; all without names.
 *
 * @throws DocumentProblem NOT_FOUND naming what there is
 */
export function wantedCategories({ categories }: Taxonomy, ids?: string[]): Set<number> {
  if (ids === undefined) return new Set(categories.keys())
  const unknown = ids.find((id) => !categories.some((category) => category.id === id))
  if (unknown !== undefined) {
    const some = categories.slice(0, 20).map(({ id }) => id)
    throw new DocumentProblem(
      'NOT_FOUND',
      `"${unknown}" is no category of the taxonomy; it has ${some.join(', ')}${categories.length > 20 ? ', …' : ''}`
    )
  }
  const below = ({ id }: Category) => ids.some((one) => id === one || id.startsWith(`${one}/`))
  return new Set([...categories.keys()].filter((number) => below(categories[number])))
}

/**
 * Takes out the passages that are about the wanted categories. The primary classifier chooses the category `c`; the confidence is
 *
 *     0.5 * primary(c) + 0.3 * validation(c) + 0.2 * agreement
 *
 * where each classifier says how sure it is of `c`, and agreement is 1 when the validation classifier chooses `c` too, 0.5 when it
 * chooses one above or below `c`, else 0.
 */
export async function extractFrom(
  passages: Passage[],
  categories: Category[],
  classifiers: { primary: Classifier; validation: Classifier },
  options: ExtractOptions,
  turns: Turns,
  tell: (done: number) => Promise<void>
): Promise<Found> {
  const found: Found = { extracts: [], rejected: 0, disagreed: 0, elsewhere: 0 }
  for (const [done, passage] of passages.entries()) {
    options.signal.throwIfAborted()
    if (turns.due()) {
      await turns.give()
      await tell(done)
    }
    const primary = await classifiers.primary.classify(passage, options.signal)
    if (primary.best === null || !options.wanted.has(primary.best)) {
      found.elsewhere++
      continue
    }
    const category = categories[primary.best]
    const validation = await classifiers.validation.classify(passage, options.signal)
    const other = validation.best === null ? null : categories[validation.best]
    const agreed = other?.id === category.id
    const near = other !== null && sameBranch(category, other)
    const confidence = rounded(
      PRIMARY * primary.sure(primary.best) +
        VALIDATION * validation.sure(primary.best) +
        AGREEMENT * (agreed ? 1 : near ? 0.5 : 0)
    )
    if (confidence < options.threshold) {
      found.rejected++
      if (!near) found.disagreed++
      continue
    }
    found.extracts.push(extractOf(passage, category, { confidence, agreed }, options.mode))
  }
  return found
}

function extractOf(
  { ref, source, start, end, text }: Passage,
  { id: category }: Category,
  judged: { confidence: number; agreed: boolean },
  mode: ExtractOptions['mode']
): Extract {
  const id = hash('sha256', JSON.stringify([source, start, end, category])).slice(0, 16)
  return {
    id,
    category,
    chunk: ref,
    source,
    start,
    end,
    text,
    ...judged,
    ...(mode === 'entities' ? { entities: entitiesOf(text, start) } : undefined),
  }
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
