/** Longest stack that is kept, in UTF-16 units. */
const LONGEST_STACK = 16_384

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
  return typeof last === 'string' ? JSON.stringify([cutText(last, LONGEST_STACK)]) : '[]'
}

/** Text of at most so many UTF-16 units, cut between whole characters and marked as cut. */
export function cutText(text: string, longest: number): string {
  if (text.length <= longest) return text.toWellFormed()
  const mark = '\n… (cut)'
  const end = longest - mark.length
  const splitsPair = /[\uD800-\uDBFF]/.test(text[end - 1])
  return text.slice(0, splitsPair ? end - 1 : end).toWellFormed() + mark
}
