import type { Turns } from '#services/documents/turns'
import type { Corpus, Vector } from './corpus.ts'
import { Coherence, holdersOf, type Holders, Worth } from './seeds.ts'

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
    for (const group of groups) {
      if (turns.due()) await turns.give()
      group.centroid = centreOf(corpus, group.members, group.seed)
    }
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
  const most = Math.max(options.fewest, among.length * WIDEST)
  const fit = ({ term, chunks: { length } }: Holders) => {
    const { names, key, stems } = corpus.terms[term]
    return (
      names &&
      length >= options.fewest &&
      length <= most &&
      !options.banned.has(key) &&
      !stems.some((stem) => options.banned.has(stem))
    )
  }
  const worth = new Worth(corpus)
  const rated: (Holders & { worth: number })[] = []
  for (const holders of await holdersOf(corpus, among, turns)) {
    if (turns.due()) await turns.give()
    if (fit(holders)) rated.push({ ...holders, worth: worth.of(holders) })
  }
  rated.sort((one, other) => other.worth - one.worth || one.term - other.term)
  const coherence = new Coherence(corpus)
  const candidates: (Holders & { sense: number })[] = []
  for (const holders of rated.slice(0, CANDIDATES)) {
    if (turns.due()) await turns.give()
    candidates.push({ ...holders, sense: coherence.of(holders) })
  }
  const covered = new Float64Array(corpus.chunks.length)
  const uncovered = new Float64Array(corpus.chunks.length).fill(1)
  const seeds: { seed: number; centroid: Float64Array }[] = []
  let firstGain = 0
  while (seeds.length < options.most) {
    let best: (typeof candidates)[number] | null = null
    let gain = 0
    for (const candidate of candidates) {
      if (turns.due()) await turns.give()
      const brings = candidate.sense * worth.of(candidate, uncovered)
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
      if (likeness <= covered[chunk]) continue
      covered[chunk] = likeness
      uncovered[chunk] = Math.max(0, 1 - likeness / COVERED)
    }
  }
  return seeds
}

/** Mean of the chunks, drawn a little to the seed so that the group stays what its name says; of length 1. */
function centreOf(corpus: Corpus, members: Iterable<number>, seed: number): Float64Array {
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
