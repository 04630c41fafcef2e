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
export function judge(measured: Measured): Omit<Quality, 'verdict'> {
  const { remembered, complete, readability, diversity } = measured
  const total = remembered.length
  const findings: Finding[] = []
  const say = (severity: Finding['severity'], path: string, message: string) =>
    findings.push({ severity, path, message })
  const weigh = (count: number, limit: { warning: number; error: number }, message: string) => {
    const share = count / Math.max(1, total)
    if (share > limit.warning) say(share > limit.error ? 'error' : 'warning', 'dataset', message)
  }

  const splits = counted(remembered.map(({ split }) => split))
  const duplicates = duplicatesOf(measured)
  const contradictions = contradictionsOf(measured)
  const leaked = leakedOf(measured)
  const apart = remembered.filter(({ split }) => split !== 'train').length
  const balance = remembered.some(({ label }) => label !== null) ? balanceOf(remembered) : null

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
    if (count < 0.02 * total || count < 2) say('warning', split, `holds only ${count} examples`)
  }
  if (balance !== null) judgeBalance(remembered, balance, say)
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

function duplicatesOf({ remembered, same }: Measured) {
  const groups = new Set<number>()
  const digests = new Set<string>()
  let [surplus, exact] = [0, 0]
  for (const [index, { digest }] of remembered.entries()) {
    const again = digests.has(digest)
    if (again) exact++
    if (again || groups.has(same[index])) surplus++
    digests.add(digest)
    groups.add(same[index])
  }
  return { surplus, exact, near: surplus - exact }
}

function contradictionsOf({ remembered }: Measured): number {
  const labels = new Map<string, string | null>()
  const contradicting = new Set<string>()
  for (const { digest, label } of remembered) {
    if (label === null) continue
    const known = labels.get(digest)
    if (known === undefined) labels.set(digest, label)
    else if (known !== label) contradicting.add(digest)
  }
  return contradicting.size
}

function leakedOf({ remembered, alike }: Measured): number {
  const [groups, digests] = [new Set<number>(), new Set<string>()]
  for (const [index, { split, digest }] of remembered.entries()) {
    if (split !== 'train') continue
    groups.add(alike[index])
    digests.add(digest)
  }
  return remembered.filter(
    ({ split, digest }, index) =>
      split !== 'train' && (groups.has(alike[index]) || digests.has(digest))
  ).length
}

function balanceOf(remembered: Remembered[]): NonNullable<Quality['balance']> {
  const labels = [...counted(remembered.flatMap(({ label }) => label ?? []))].sort(
    (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)
  )
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
  remembered: Remembered[],
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
  const learned = new Set(
    remembered.flatMap(({ split, label }) => (split === 'train' ? (label ?? []) : []))
  )
  const few = labels.filter(({ examples }) => examples < FEWEST_OF_LABEL)
  for (const { label, examples } of few.slice(0, 20)) {
    say('warning', `label "${label}"`, `has only ${examples} examples`)
  }
  if (learned.size === 0) return
  for (const { label } of labels.filter((one) => !learned.has(one.label)).slice(0, 20)) {
    say('warning', `label "${label}"`, 'is in no example of "train"')
  }
}

function counted(values: string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
