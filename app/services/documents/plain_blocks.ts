import type { Steps } from './breather.ts'
import type { Block } from './markdown_blocks.ts'

/** Lines that are looked at in one step. */
const STEP = 20_000

/**
 * Paragraphs of a plain text: lines without an empty one between them.
 */
export function* plainBlockSteps(text: string): Steps<Block[]> {
  const blocks: Block[] = []
  let paragraph: Block | null = null
  let read = 0
  for (let start = 0; start < text.length;) {
    const found = text.indexOf('\n', start)
    const end = found === -1 ? text.length : found
    if (end === start) paragraph = null
    else if (paragraph !== null) paragraph.end = end
    else blocks.push((paragraph = { kind: 'paragraph', start, end }))
    start = end + 1
    if (++read % STEP === 0) yield
  }
  return blocks
}
