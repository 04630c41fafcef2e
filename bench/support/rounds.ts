/**
 * Median, for an even number of values the mean of the middle two.
 */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * The value below which the given share (0 to 1) of all values lies.
 */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/**
 * Measures two or more candidates in turns, so that whatever else the machine does meets all of them alike: each round measures every
 * one of them, every second round in reverse order. The first round warms up and does not count.
 *
 * @returns each candidate's values, in the order of the rounds
 */
export async function interleaved<Name extends string>(
  candidates: Record<Name, () => Promise<number>>,
  rounds: number,
  tell: (text: string) => void = () => {}
): Promise<Record<Name, number[]>> {
  const names = Object.keys(candidates) as Name[]
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? names : [...names].reverse()
    for (const name of order) {
      const value = await candidates[name]()
      if (round > 0) values[name].push(value)
    }
    if (round > 0) {
      tell(
        `round ${round}: ${names.map((name) => `${name} ${Math.round(values[name].at(-1)!)}/s`).join(', ')}`
      )
    }
  }
  return values
}

/**
 * How the first compares with the second: the median of the ratios of each round, which is steadier than the ratio of medians.
 */
export function ratio(ours: number[], theirs: number[]): number {
  return median(ours.map((value, index) => value / theirs[index]))
}
