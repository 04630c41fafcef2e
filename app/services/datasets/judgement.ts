import { type Turns, visited } from '#services/documents/turns'
import type { Finding } from './finding.ts'
import type { Quality, Remembered } from './quality.ts'
import { type Diversity, type Readability, rounded } from './text_measures.ts'

export type Measured = {
  remembered: Remembered[]
  /** The group of each example that says the same, and of each that is about the same text. */
  same: Uint32Array
  alike: Uint32Array
  complete: number
  readability: Readability
  diversity: Diversity
}

/** From which share of the examples on something is a warning or an error. */
const LIMITS = {
  incomplete: { warning: 0, error: 0.1 },
  duplicates: { warning: 0.02, error: 0.3 },
  contradictions: { warning: 0, error: 0.05 },
  leakage: { warning: 0, error: 0.02 },
}

/** A label with fewer examples cannot be learned, and its test says nothing. */
const FEWEST_OF_LABEL = 5

/** Below it the frequent labels drown the others. */
const UNEVEN = 0.6

const MOST_LABELS = 200

/**
 * What the measures mean.
 */
export async function judge(measured: Measured, turns: Turns): Promise<Omit<Quality, 'verdict'>> {
  const { remembered, complete, readability, diversity } = measured
  const total = remembered.length
  const findings: Finding[] = []
  const say = (severity: Finding['severity'], path: string, message: string) =>
    findings.push({ severity, path, message })
  const weigh = (count: number, limit: { warning: number; error: number }, message: string) => {
    const share = count / Math.max(1, total)
    if (share > limit.warning) say(share > limit.error ? 'error' : 'warning', 'dataset', message)
  }

  const splits = new Map<string, number>()
  const labels = new Map<string, number>()
  /** Labels that can be learned. */
  const learned = new Set<string>()
  await visited(remembered, turns, ({ split, label }) => {
    splits.set(split, (splits.get(split) ?? 0) + 1)
    if (label === null) return
    labels.set(label, (labels.get(label) ?? 0) + 1)
    if (split === 'train') learned.add(label)
  })
  const duplicates = await duplicatesOf(measured, turns)
  const contradictions = await contradictionsOf(measured, turns)
  const leaked = await leakedOf(measured, turns)
  const apart = total - (splits.get('train') ?? 0)
  const balance = labels.size > 0 ? balanceOf(labels) : null

  if (total === 0) say('error', 'dataset', 'holds no example')
  weigh(
    total - complete,
    LIMITS.incomplete,
    `${total - complete} of ${total} examples lack a field`
  )
  weigh(
    duplicates.surplus,
    LIMITS.duplicates,
    `${duplicates.surplus} of ${total} examples say what another says: ${duplicates.exact} in the same words, ${duplicates.near} nearly`
  )
  weigh(contradictions, LIMITS.contradictions, `${contradictions} texts stand under several labels`)
  weigh(leaked, LIMITS.leakage, `${leaked} of ${apart} examples outside of "train" are in it too`)
  for (const [split, count] of splits) {
    if (count < 0.02 * total || count < 2) say('warning', split, `holds only ${examplesOf(count)}`)
  }
  if (balance !== null) judgeBalance(learned, balance, say)
  if (total > 1 && readability.words < 5) {
    say('warning', 'dataset', `half of the examples have at most ${readability.words} words`)
  }
  if (total > 20 && diversity.pairs < 0.1) {
    say(
      'warning',
      'dataset',
      `the same words come again and again: ${diversity.pairs} of all pairs of words are different`
    )
  }
  if (total > 20 && diversity.opening > 0.3) {
    say(
      'warning',
      'dataset',
      `${Math.round(diversity.opening * 100)} % of the examples begin alike`
    )
  }
  return {
    examples: total,
    splits: Object.fromEntries(splits),
    completeness: { complete, share: rounded(complete / Math.max(1, total), 4) },
    duplicates,
    contradictions,
    balance,
    leakage: { examples: leaked, share: rounded(leaked / Math.max(1, apart), 4) },
    readability,
    diversity,
    findings,
  }
}

async function duplicatesOf({ remembered, same }: Measured, turns: Turns) {
  const groups = new Set<number>()
  const digests = new Set<string>()
  let [surplus, exact] = [0, 0]
  await visited(remembered, turns, ({ digest }, index) => {
    const again = digests.has(digest)
    if (again) exact++
    if (again || groups.has(same[index])) surplus++
    digests.add(digest)
    groups.add(same[index])
  })
  return { surplus, exact, near: surplus - exact }
}

async function contradictionsOf({ remembered }: Measured, turns: Turns): Promise<number> {
  const labels = new Map<string, string | null>()
  const contradicting = new Set<string>()
  await visited(remembered, turns, ({ digest, label }) => {
    if (label === null) return
    const known = labels.get(digest)
    if (known === undefined) labels.set(digest, label)
    else if (known !== label) contradicting.add(digest)
  })
  return contradicting.size
}

async function leakedOf({ remembered, alike }: Measured, turns: Turns): Promise<number> {
  const [groups, digests] = [new Set<number>(), new Set<string>()]
  await visited(remembered, turns, ({ split, digest }, index) => {
    if (split !== 'train') return
    groups.add(alike[index])
    digests.add(digest)
  })
  let leaked = 0
  await visited(remembered, turns, ({ split, digest }, index) => {
    if (split !== 'train' && (groups.has(alike[index]) || digests.has(digest))) leaked++
  })
  return leaked
}

function balanceOf(counts: Map<string, number>): NonNullable<Quality['balance']> {
  const labels = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const total = labels.reduce((sum, [, count]) => sum + count, 0)
  const entropy = -labels.reduce(
    (sum, [, count]) => sum + (count / total) * Math.log(count / total),
    0
  )
  return {
    labels: labels.slice(0, MOST_LABELS).map(([label, examples]) => ({ label, examples })),
    evenness: labels.length < 2 ? 0 : rounded(entropy / Math.log(labels.length), 4),
  }
}

function judgeBalance(
  learned: ReadonlySet<string>,
  { labels, evenness }: NonNullable<Quality['balance']>,
  say: (severity: Finding['severity'], path: string, message: string) => void
) {
  if (labels.length < 2) {
    say('error', 'labels', 'all examples have the same label: there is nothing to learn')
    return
  }
  if (evenness < UNEVEN) {
    const { label, examples } = labels[0]
    say('warning', 'labels', `are uneven (${evenness}): ${examples} examples are "${label}"`)
  }
  const few = labels.filter(({ examples }) => examples < FEWEST_OF_LABEL)
  for (const { label, examples } of few.slice(0, 20)) {
    say('warning', `label "${label}"`, `has only ${examplesOf(examples)}`)
  }
  if (learned.size === 0) return
  for (const { label } of labels.filter((one) => !learned.has(one.label)).slice(0, 20)) {
    say('warning', `label "${label}"`, 'is in no example of "train"')
  }
}

function examplesOf(count: number): string {
  return count === 1 ? '1 example' : `${count} examples`
}
