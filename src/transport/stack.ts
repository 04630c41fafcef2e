import { cutText } from '../cut_text.ts'

/** Longest stack that is kept, in UTF-16 units. */
const LONGEST_STACK = 16_384
const MARK = '\n… (cut)'

/**
 * BullMQ's list of stacks (JSON), one per failed attempt, reduced to the last one, which is cut to 16 KiB and made valid text:
 * a lone half of a surrogate pair would make the script that reads the list fail.
 */
export function lastStack(stacks: string): string {
  let list: unknown
  try {
    list = JSON.parse(stacks)
  } catch {
    return '[]'
  }
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined
  return typeof last === 'string' ? JSON.stringify([cutText(last, LONGEST_STACK, MARK)]) : '[]'
}
