import { createHash } from 'node:crypto'

/** Shares of the splits, by their names; they add up to 1. */
export type Shares = Record<string, number>

/** What splitting has to know of an example. */
export type Splittable = { id: string; label: string; group: number }

/**
 * The split of each example: groups stay together, each label is shared out as the whole is, and the order of the groups comes
 * from the seed alone.
 */
export function splitsOf(examples: Splittable[], shares: Shares, seed: number): string[] {
  const names = Object.keys(shares).filter((name) => shares[name] > 0)
  const groups = new Map<number, number[]>()
  for (const [index, { group }] of examples.entries()) {
    const known = groups.get(group)
    if (known === undefined) groups.set(group, [index])
    else known.push(index)
  }
  const order = [...groups.values()]
    .map((members) => ({ members, place: hash(`${seed}/${examples[members[0]].id}`) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))

  const given = new Map<string, Record<string, number>>()
  const all = Object.fromEntries(names.map((name) => [name, 0]))
  const splits = new Array<string>(examples.length)
  let total = 0
  for (const { members } of order) {
    const { label } = examples[members[0]]
    const counts = given.get(label) ?? Object.fromEntries(names.map((name) => [name, 0]))
    given.set(label, counts)
    const sum = names.reduce((more, name) => more + counts[name], members.length)
    total += members.length
    const lack = (name: string) => shares[name] * sum - counts[name]
    const lackOfAll = (name: string) => shares[name] * total - all[name]
    const split = names.reduce((best, name) => {
      const difference = lack(name) - lack(best)
      if (Math.abs(difference) < 1e-9) return lackOfAll(name) > lackOfAll(best) ? name : best
      return difference > 0 ? name : best
    })
    counts[split] += members.length
    all[split] += members.length
    for (const index of members) splits[index] = split
  }
  return splits
}

/**
 * The label of each example: one with fewer than `fewest` examples goes up to the category above it, as often as it takes. Null where
 * even the category at the top has too few.
 */
export function learnableLabels(labels: string[], fewest: number): (string | null)[] {
  let current = labels.map((label): string | null => label)
  for (;;) {
    const counts = new Map<string, number>()
    for (const label of current) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1)
    /** The deepest first: what moves up may be enough for the one above. */
    const few = [...counts].filter(([, count]) => count < fewest).map(([label]) => label)
    if (few.length === 0) return current
    const deepest = Math.max(...few.map(depthOf))
    const moving = new Set(few.filter((label) => depthOf(label) === deepest))
    current = current.map((label) => (label !== null && moving.has(label) ? above(label) : label))
  }
}

function depthOf(label: string): number {
  return label.split('/').length
}

function above(label: string): string | null {
  const at = label.lastIndexOf('/')
  return at === -1 ? null : label.slice(0, at)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
