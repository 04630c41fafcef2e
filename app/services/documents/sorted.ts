import type { Turns } from './turns.ts'

/** Items that are sorted, or merged, in one step. */
const STEP = 2_048

/**
 * The items in order, equal ones as they came, as `toSorted` gives them; others get a turn in between.
 */
export async function sortedInTurns<Item>(
  items: Item[],
  compare: (one: Item, other: Item) => number,
  turns: Turns
): Promise<Item[]> {
  let runs: Item[][] = []
  for (let start = 0; start < items.length; start += STEP) {
    if (turns.due()) await turns.give()
    runs.push(items.slice(start, start + STEP).sort(compare))
  }
  while (runs.length > 1) {
    const merged: Item[][] = []
    for (let at = 0; at < runs.length; at += 2) {
      const [one, other] = [runs[at], runs[at + 1]]
      merged.push(other === undefined ? one : await merge(one, other, compare, turns))
    }
    runs = merged
  }
  return runs[0] ?? []
}

async function merge<Item>(
  one: Item[],
  other: Item[],
  compare: (one: Item, other: Item) => number,
  turns: Turns
): Promise<Item[]> {
  const all: Item[] = []
  let [a, b] = [0, 0]
  while (a < one.length && b < other.length) {
    if (all.length % STEP === 0 && turns.due()) await turns.give()
    all.push(compare(one[a], other[b]) <= 0 ? one[a++] : other[b++])
  }
  while (a < one.length) all.push(one[a++])
  while (b < other.length) all.push(other[b++])
  return all
}
