import type { Category, Taxonomy } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import type { Corpus, CorpusReader, Term } from './corpus.ts'
import { groupsOf, likenessOf, type Group } from './groups.ts'
import { slugOf } from './slug.ts'

export type TaxonomyOptions = {
  /** Levels, at most. */
  depth: number
  /** Categories below one, and at the top, at most. */
  breadth: number
  /** Chunks in a category with its descendants, at least. */
  fewest: number
}

export type Stage = 'Counting terms' | 'Finding categories' | 'Keeping the taxonomy'

/** Terms that a category keeps. */
const TERMS = 12
/** A category with fewer chunks than this many times `fewest` is not parted further. */
const WORTH_PARTING = 4

/** A category of whose chunks this share does not hold its term has a second one in its name, which this share holds. */
const LEAST_UNNAMED = 0.25
const LEAST_SECOND = 0.25
/** And it weighs this much of what the strongest term of the category does. */
const LEAST_WEIGHT = 0.5

type Branch = Group & { depth: number; children: Branch[]; own: number[] }

/**
 * Builds the hierarchy of categories over the chunks that were read; the same sets and options give the same taxonomy.
 *
 * @param tell called as the work goes on, with counts
 */
export async function taxonomyOf(
  reader: CorpusReader,
  options: TaxonomyOptions,
  turns: Turns,
  tell: (stage: Stage, done: number, total: number) => Promise<void>
): Promise<Taxonomy> {
  const sets = reader.ids
  const corpus = await reader.corpus((done) => tell('Counting terms', done, sets.length))
  const all = corpus.chunks.map((_, number) => number)
  let placed = 0
  const grow = async (among: number[], depth: number, banned: Set<string>): Promise<Branch[]> => {
    const most = depth === 1 ? options.breadth : Math.min(options.breadth, 6)
    const groups = await groupsOf(corpus, among, { most, fewest: options.fewest, banned }, turns)
    const branches: Branch[] = []
    for (const group of groups) {
      await tell('Finding categories', placed, all.length)
      const below = new Set([...banned, ...corpus.terms[group.seed].key.split(' ')])
      const parted = depth < options.depth && group.members.length >= WORTH_PARTING * options.fewest
      const children = parted ? await grow(group.members, depth + 1, below) : []
      const inChildren = new Set(children.flatMap(({ members }) => members))
      const own = group.members.filter((number) => !inChildren.has(number))
      placed += own.length
      branches.push({ ...group, depth, children, own })
    }
    return branches.sort((a, b) => b.members.length - a.members.length || a.seed - b.seed)
  }
  const branches = await grow(all, 1, new Set())
  await tell('Keeping the taxonomy', placed, all.length)
  const inTree = new Set(branches.flatMap(({ members }) => members))
  return {
    sets,
    depth: options.depth,
    categories: await categoriesOf(
      corpus,
      branches,
      { parent: null, said: new Set(), ...options },
      turns
    ),
    unplaced: all
      .filter((number) => !inTree.has(number))
      .map((number) => corpus.chunks[number].ref),
  }
}

/** What categories stand below: the category, the stems that the names down to it hold, and chunks in a category at least. */
type Above = { parent: Category | null; said: ReadonlySet<string>; fewest: number }

async function categoriesOf(
  corpus: Corpus,
  siblings: Branch[],
  { parent, said, fewest }: Above,
  turns: Turns
): Promise<Category[]> {
  const taken = new Set<string>()
  const categories: Category[] = []
  for (const branch of siblings) {
    if (turns.due()) await turns.give()
    const { display, stems } = corpus.terms[branch.seed]
    const large = branch.members.length >= WORTH_PARTING * fewest
    const second = large ? secondOf(corpus, branch, said) : null
    const begin = display.charAt(0).toUpperCase() + display.slice(1)
    const name = second === null ? begin : `${begin} and ${second.display}`
    let slug = slugOf(name)
    while (taken.has(slug)) slug += '-also'
    taken.add(slug)
    const category: Category = {
      id: parent === null ? slug : `${parent.id}/${slug}`,
      name,
      parent: parent?.id ?? null,
      depth: branch.depth,
      terms: termsOf(corpus, branch),
      chunks: branch.own.map((number) => corpus.chunks[number].ref),
      confidence: confidenceOf(corpus, branch, siblings),
    }
    const below = {
      parent: category,
      said: new Set([...said, ...stems, ...(second?.stems ?? [])]),
      fewest,
    }
    categories.push(category, ...(await categoriesOf(corpus, branch.children, below, turns)))
  }
  return categories
}

/**
 * A term that many of a category's chunks hold, where too few hold the one that speaks for it; null where that is enough, and where the
 * term would only repeat a name above or below.
 */
function secondOf(
  corpus: Corpus,
  { seed, members, children, centroid }: Branch,
  said: ReadonlySet<string>
): Term | null {
  const own = corpus.terms[seed]
  const holding = (term: number) =>
    members.filter((number) => corpus.chunks[number].terms.includes(term)).length
  if (own.phrase || holding(seed) > (1 - LEAST_UNNAMED) * members.length) return null
  const named = children.flatMap((child) => corpus.terms[child.seed].stems)
  const taken = new Set([...said, ...own.stems, ...named])
  const strongest = centroid.reduce((most, weight) => Math.max(most, weight), 0)
  const alike = (stem: string) => own.stems[0].startsWith(stem) || stem.startsWith(own.stems[0])
  let [best, most]: [Term | null, number] = [null, LEAST_WEIGHT * strongest]
  for (const [number, weight] of centroid.entries()) {
    const term = corpus.terms[number]
    if (weight <= most || !term.names || term.stems.some((stem) => taken.has(stem) || alike(stem)))
      continue
    if (holding(number) >= LEAST_SECOND * members.length) [best, most] = [term, weight]
  }
  return best
}

function termsOf(corpus: Corpus, { centroid }: Group): Category['terms'] {
  const strongest: [term: number, weight: number][] = []
  for (const [term, weight] of centroid.entries()) {
    if (weight === 0 || (strongest.length === TERMS && weight <= strongest.at(-1)![1])) continue
    /** Of equal ones the first stays in front. */
    const place = strongest.findIndex(([, other]) => other < weight)
    strongest.splice(place === -1 ? strongest.length : place, 0, [term, weight])
    if (strongest.length > TERMS) strongest.pop()
  }
  const top = strongest[0]?.[1] ?? 1
  return strongest.map(([term, weight]) => ({
    term: corpus.terms[term].display,
    weight: rounded(weight / top),
  }))
}

/**
 * Of the category with its descendants: `support * (0.4 * cohesion + 0.3 * separation + 0.3 * naming)`.
 *
 * - cohesion: mean cosine of its chunks with their centre, over 0.4, at most 1
 * - separation: 1 minus the cosine of its centre with the nearest sibling's
 * - naming: share of its chunks that hold the term that speaks for it
 * - support: n / (n + 2) for n chunks
 */
function confidenceOf(corpus: Corpus, branch: Branch, siblings: Branch[]): number {
  const { members, centroid, seed } = branch
  const likeness = members.reduce((sum, n) => sum + likenessOf(corpus.chunks[n], centroid), 0)
  const cohesion = Math.min(1, likeness / members.length / 0.4)
  const nearest = Math.max(
    0,
    ...siblings.filter((other) => other !== branch).map((other) => cosine(other.centroid, centroid))
  )
  const named = members.filter((number) => corpus.chunks[number].terms.includes(seed)).length
  const support = members.length / (members.length + 2)
  return rounded(support * (0.4 * cohesion + 0.3 * (1 - nearest) + (0.3 * named) / members.length))
}

function cosine(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at] * b[at]
  return sum
}

function rounded(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 1_000
}
