import type { Steps } from './breather.ts'
import type { Block } from './markdown_blocks.ts'

/** Lines that are looked at in one step. */
const STEP = 20_000

/**
 * Paragraphs of a plain text: lines without an empty one between them. What looks empty is.
 */
export function* plainBlockSteps(text: string): Steps<Block[]> {
  const blocks: Block[] = []
  let paragraph: Block | null = null
  let read = 0
  for (let start = 0; start < text.length;) {
    const found = text.indexOf('\n', start)
    const end = found === -1 ? text.length : found
    if (isEmpty(text, start, end)) paragraph = null
    else if (paragraph !== null) paragraph.end = end
    else blocks.push((paragraph = { kind: 'paragraph', start, end }))
    start = end + 1
    if (++read % STEP === 0) yield
  }
  return blocks
}

function isEmpty(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && (unit < 0x09 || unit > 0x0d) && unit !== 0xa0) return false
  }
  return true
}
