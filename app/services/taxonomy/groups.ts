import type { Turns } from '#services/documents/turns'
import type { Corpus, Vector } from './corpus.ts'

/**
 * Chunks that belong together, and the term that speaks for them.
 */
export type Group = { seed: number; members: number[]; centroid: Float64Array }

export type GroupOptions = {
  /** Groups, at most. */
  most: number
  /** Chunks in a group, at least. */
  fewest: number
  /** Terms that may not speak for a group: those of the categories above. */
  banned: ReadonlySet<string>
}

/** Terms looked at as seeds. */
const CANDIDATES = 160
/** A seed is in at most this share of the chunks: what is in more tells nothing apart. */
const WIDEST = 0.4
/** From this likeness on a chunk counts as covered. */
const COVERED = 0.3
/** A seed that brings less than this share of what the first brought is none. */
const LEAST_GAIN = 0.12
/** Of two chunks that have nothing but the term in common. */
const LEAST_SENSE = 0.001
const ROUNDS = 4
/** A chunk less like every group than this stays where it is. */
const LEAST_LIKENESS = 0.07

/**
 * Parts chunks by topic: seeds are terms that cover many chunks, of many documents, that no seed before them covers (after
 * Lawrie and Croft, "Finding topic words for hierarchical summarization", 2001); then chunks go to the group whose centre they
 * are most like (spherical k-means), and centres move, a few rounds.
 *
 * @param among numbers of chunks
 */
export async function groupsOf(
  corpus: Corpus,
  among: number[],
  options: GroupOptions,
  turns: Turns
): Promise<Group[]> {
  const seeds = await seedsOf(corpus, among, options, turns)
  let groups = seeds.map(({ seed, centroid }): Group => ({ seed, centroid, members: [] }))
  for (let round = 0; round < ROUNDS && groups.length > 1; round++) {
    await assign(corpus, among, groups, turns)
    groups = groups.filter(({ members }) => members.length >= options.fewest)
    for (const group of groups) group.centroid = centreOf(corpus, group.members, group.seed)
  }
  if (groups.length < 2) return []
  await assign(corpus, among, groups, turns)
  return groups.filter(({ members }) => members.length >= options.fewest)
}

async function assign(
  corpus: Corpus,
  among: number[],
  groups: Group[],
  turns: Turns
): Promise<void> {
  for (const group of groups) group.members = []
  for (const number of among) {
    if (turns.due()) await turns.give()
    let best: Group | null = null
    let most = LEAST_LIKENESS
    for (const group of groups) {
      const likeness = likenessOf(corpus.chunks[number], group.centroid)
      if (likeness > most) [best, most] = [group, likeness]
    }
    best?.members.push(number)
  }
}

type Holders = { term: number; chunks: number[]; weights: number[] }

async function seedsOf(corpus: Corpus, among: number[], options: GroupOptions, turns: Turns) {
  const most = Math.max(options.fewest, among.length * WIDEST)
  const rated: (Holders & { worth: number })[] = []
  for (const holders of await holdersOf(corpus, among, turns)) {
    if (turns.due()) await turns.give()
    const { key, names } = corpus.terms[holders.term]
    const { length } = holders.chunks
    if (!names || length < options.fewest || length > most) continue
    if (options.banned.has(key) || key.split(' ').some((part) => options.banned.has(part))) continue
    rated.push({ ...holders, worth: worthOf(corpus, holders, () => 1) })
  }
  rated.sort((one, other) => other.worth - one.worth || one.term - other.term)
  const candidates: (Holders & { sense: number })[] = []
  for (const holders of rated.slice(0, CANDIDATES)) {
    if (turns.due()) await turns.give()
    candidates.push({ ...holders, sense: coherenceOf(corpus, holders.chunks, holders.term) })
  }
  const covered = new Map<number, number>()
  const seeds: { seed: number; centroid: Float64Array }[] = []
  let firstGain = 0
  while (seeds.length < options.most) {
    let best: (typeof candidates)[number] | null = null
    let gain = 0
    for (const candidate of candidates) {
      if (turns.due()) await turns.give()
      const uncovered = (chunk: number) => Math.max(0, 1 - (covered.get(chunk) ?? 0) / COVERED)
      const brings = candidate.sense * worthOf(corpus, candidate, uncovered)
      if (brings > gain) [best, gain] = [candidate, brings]
    }
    if (best === null || gain < firstGain * LEAST_GAIN) break
    firstGain ||= gain
    const centroid = centreOf(corpus, best.chunks, best.term)
    seeds.push({ seed: best.term, centroid })
    candidates.splice(candidates.indexOf(best), 1)
    for (const chunk of among) {
      if (turns.due()) await turns.give()
      const likeness = likenessOf(corpus.chunks[chunk], centroid)
      covered.set(chunk, Math.max(covered.get(chunk) ?? 0, likeness))
    }
  }
  return seeds
}

async function holdersOf(
  corpus: Corpus,
  among: number[],
  turns: Turns
): Promise<Iterable<Holders>> {
  const all = new Map<number, Holders>()
  for (const number of among) {
    if (turns.due()) await turns.give()
    const { terms, weights } = corpus.chunks[number]
    for (const [at, term] of terms.entries()) {
      let holders = all.get(term)
      if (holders === undefined) all.set(term, (holders = { term, chunks: [], weights: [] }))
      holders.chunks.push(number)
      holders.weights.push(weights[at])
    }
  }
  return all.values()
}

/** How much a term weighs in its chunks. Each document counts by a root, or one long document would name the whole tree. */
function worthOf(
  corpus: Corpus,
  { term, chunks, weights }: Holders,
  share: (chunk: number) => number
): number {
  const bySource = new Map<number, number>()
  for (const [at, number] of chunks.entries()) {
    const { source } = corpus.chunks[number]
    bySource.set(source, (bySource.get(source) ?? 0) + weights[at] * share(number))
  }
  let worth = 0
  for (const weight of bySource.values()) worth += Math.sqrt(weight)
  const { phrase, headings } = corpus.terms[term]
  return worth * (phrase ? 1.5 : 1) * (0.6 + Math.min(headings, 0.4))
}

/**
 * Whether the chunks that hold a term have more in common than the term: the mean cosine of two of them, the term and its phrases
 * left out, those of the same document too where there are several. A word that stands with everything tells nothing.
 */
function coherenceOf(corpus: Corpus, held: number[], term: number): number {
  const word = corpus.terms[term].key
  const all = new Map<number, number>()
  const inSource = new Map<number, Map<number, number>>()
  for (const number of held) {
    const { terms, weights, source } = corpus.chunks[number]
    let sums = inSource.get(source)
    if (sums === undefined) inSource.set(source, (sums = new Map()))
    for (const [at, other] of terms.entries()) {
      if (corpus.terms[other].key.split(' ').includes(word)) continue
      all.set(other, (all.get(other) ?? 0) + weights[at])
      sums.set(other, (sums.get(other) ?? 0) + weights[at])
    }
  }
  const counts = new Map<number, number>()
  for (const number of held) {
    const { source } = corpus.chunks[number]
    counts.set(source, (counts.get(source) ?? 0) + 1)
  }
  let [products, pairs] = [squareOf(all), held.length ** 2]
  if (inSource.size > 1) {
    for (const [source, sums] of inSource) {
      products -= squareOf(sums)
      pairs -= counts.get(source)! ** 2
    }
  }
  return Math.max(LEAST_SENSE, products / pairs) ** 0.25
}

function squareOf(sums: Map<number, number>): number {
  let square = 0
  for (const weight of sums.values()) square += weight * weight
  return square
}

/** Mean of the chunks, drawn a little to the seed so that the group stays what its name says; of length 1. */
function centreOf(corpus: Corpus, members: number[], seed: number): Float64Array {
  const centre = new Float64Array(corpus.terms.length)
  for (const number of members) {
    const { terms, weights } = corpus.chunks[number]
    for (let at = 0; at < terms.length; at++) centre[terms[at]] += weights[at]
  }
  centre[seed] *= 1.5
  let square = 0
  for (const weight of centre) square += weight * weight
  const length = Math.sqrt(square) || 1
  for (let at = 0; at < centre.length; at++) centre[at] /= length
  return centre
}

/** Cosine of a chunk and a centre. */
export function likenessOf({ terms, weights }: Vector, centre: Float64Array): number {
  let sum = 0
  for (let at = 0; at < terms.length; at++) sum += weights[at] * centre[terms[at]]
  return sum
}
