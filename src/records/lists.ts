import { inParts } from '../in_parts.ts'

/** Numbers in one list of SQL. */
const LIST = 500

/**
 * Numbers as SQL lists them, in parts that databases plan quickly.
 */
export function lists(numbers: readonly number[]): string[] {
  return Array.from(inParts(numbers, LIST), (part) => part.join(', '))
}
