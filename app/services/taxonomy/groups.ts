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

async function seedsOf(corpus: Corpus, among: number[], options: GroupOptions, turns: Turns) {
  const holders = holdersOf(corpus, among)
  const candidates = [...holders]
    .filter(([term, held]) => {
      const { key, display } = corpus.terms[term]
      return (
        held.length >= options.fewest &&
        held.length <= Math.max(options.fewest, among.length * WIDEST) &&
        !options.banned.has(key) &&
        !key.split(' ').some((part) => options.banned.has(part)) &&
        isName(display)
      )
    })
    .map(([term, held]) => ({ term, held, worth: worthOf(corpus, term, held, () => 1) }))
    .sort((a, b) => b.worth - a.worth || a.term - b.term)
    .slice(0, CANDIDATES)
    .map(({ term, held }) => ({ term, held, centroid: centreOf(corpus, held, term) }))
  const covered = new Map<number, number>()
  const seeds: { seed: number; centroid: Float64Array }[] = []
  let firstGain = 0
  while (seeds.length < options.most) {
    let best: (typeof candidates)[number] | null = null
    let most = 0
    for (const candidate of candidates) {
      if (turns.due()) await turns.give()
      const gain = worthOf(corpus, candidate.term, candidate.held, (chunk) =>
        Math.max(0, 1 - (covered.get(chunk) ?? 0) / COVERED)
      )
      if (gain > most) [best, most] = [candidate, gain]
    }
    if (best === null || most < firstGain * LEAST_GAIN) break
    firstGain ||= most
    seeds.push({ seed: best.term, centroid: best.centroid })
    candidates.splice(candidates.indexOf(best), 1)
    for (const chunk of among) {
      if (turns.due()) await turns.give()
      const likeness = likenessOf(corpus.chunks[chunk], best.centroid)
      covered.set(chunk, Math.max(covered.get(chunk) ?? 0, likeness))
    }
  }
  return seeds
}

function holdersOf(corpus: Corpus, among: number[]): Map<number, number[]> {
  const holders = new Map<number, number[]>()
  for (const number of among) {
    for (const term of corpus.chunks[number].terms) {
      const held = holders.get(term)
      if (held === undefined) holders.set(term, [number])
      else held.push(number)
    }
  }
  return holders
}

/** How much a term weighs in its chunks. Each document counts by a root, or one long document would name the whole tree. */
function worthOf(
  corpus: Corpus,
  term: number,
  held: number[],
  share: (chunk: number) => number
): number {
  const bySource = new Map<number, number>()
  for (const number of held) {
    const chunk = corpus.chunks[number]
    const weight = weightOf(chunk, term) * share(number)
    bySource.set(chunk.source, (bySource.get(chunk.source) ?? 0) + weight)
  }
  let worth = 0
  for (const weight of bySource.values()) worth += Math.sqrt(weight)
  const { phrase, headings } = corpus.terms[term]
  return worth * (phrase ? 1.5 : 1) * (0.6 + Math.min(headings, 0.4))
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

function weightOf({ terms, weights }: Vector, term: number): number {
  const at = terms.indexOf(term)
  return at === -1 ? 0 : weights[at]
}

/** What may stand as a name: no adverb, no past tense, no single letter. */
function isName(display: string): boolean {
  return display.length > 2 && !/(ly|ed)$/.test(display) && !/^\p{Ll}+ing\s/u.test(display)
}
