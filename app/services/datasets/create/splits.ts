import { hash } from 'node:crypto'
import { sortedInTurns } from '#services/documents/sorted'
import type { Turns } from '#services/documents/turns'

/** Shares of the splits, by their names; they add up to 1. */
export type Shares = Record<string, number>

/** What splitting has to know of an example. */
export type Splittable = { id: string; label: string; group: number }

/**
 * The split of each example: groups stay together, each label is shared out as the whole is, and the order of the groups comes
 * from the seed alone.
 */
export async function splitsOf(
  examples: Splittable[],
  shares: Shares,
  seed: number,
  turns: Turns
): Promise<string[]> {
  const names = Object.keys(shares).filter((name) => shares[name] > 0)
  const groups = new Map<number, number[]>()
  for (const [index, { group }] of examples.entries()) {
    if (turns.due()) await turns.give()
    const known = groups.get(group)
    if (known === undefined) groups.set(group, [index])
    else known.push(index)
  }
  const placed: { members: number[]; place: string }[] = []
  for (const members of groups.values()) {
    if (turns.due()) await turns.give()
    placed.push({ members, place: hash('sha256', `${seed}/${examples[members[0]].id}`) })
  }
  const order = await sortedInTurns(placed, (a, b) => (a.place < b.place ? -1 : 1), turns)

  const given = new Map<string, Record<string, number>>()
  const all = Object.fromEntries(names.map((name) => [name, 0]))
  const splits = new Array<string>(examples.length)
  let total = 0
  for (const { members } of order) {
    if (turns.due()) await turns.give()
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
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  /** Where the examples of a label went. */
  const moved = new Map<string, string | null>()
  for (;;) {
    /** The deepest first: what moves up may be enough for the one above. */
    const few = [...counts].filter(([, count]) => count < fewest)
    if (few.length === 0) break
    const deepest = Math.max(...few.map(([label]) => depthOf(label)))
    for (const [label, count] of few) {
      if (depthOf(label) !== deepest) continue
      const up = above(label)
      moved.set(label, up)
      counts.delete(label)
      if (up !== null) counts.set(up, (counts.get(up) ?? 0) + count)
    }
  }
  const final = (label: string): string | null => {
    let at: string | null = label
    while (at !== null && moved.has(at)) at = moved.get(at)!
    return at
  }
  const finals = new Map([...new Set(labels)].map((label) => [label, final(label)]))
  return labels.map((label) => finals.get(label)!)
}

function depthOf(label: string): number {
  return label.split('/').length
}

function above(label: string): string | null {
  const at = label.lastIndexOf('/')
  return at === -1 ? null : label.slice(0, at)
}
