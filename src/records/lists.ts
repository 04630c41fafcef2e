/** Numbers in one list of SQL. */
const LIST = 500

/**
 * Numbers as SQL lists them, in parts that databases plan quickly.
 */
export function lists(numbers: number[]): string[] {
  const parts: string[] = []
  for (let at = 0; at < numbers.length; at += LIST) {
    parts.push(numbers.slice(at, at + LIST).join(', '))
  }
  return parts
}
