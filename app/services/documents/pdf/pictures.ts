import type { PdfBlock } from './blocks.ts'

/** What stands below a picture. */
const BELOW_PICTURE = /^(?:figure|fig\.|abbildung|abb\.)\s+\d/i

/** Longer paragraphs are no words in a picture. */
const LONGEST_LABEL = 80

/**
 * Without headings that are words in a picture: those above its caption, up to the text above the picture. What begins at
 * the left edge of the text may be the heading of the section that the picture belongs to.
 *
 * @param isAtLeft whether a block begins at the left edge of the text
 */
export function withoutPictures(
  blocks: PdfBlock[],
  isAtLeft: (index: number) => boolean
): PdfBlock[] {
  const left = [...blocks]
  let inside = false
  for (let index = blocks.length - 1; index >= 0; index--) {
    const block = blocks[index]
    if (block.kind !== 'heading' && block.kind !== 'paragraph') {
      inside = false
      continue
    }
    const text = block.texts.join(' ')
    if (BELOW_PICTURE.test(text)) inside = true
    else if (isAtLeft(index) || text.length > LONGEST_LABEL) inside = false
    else if (inside) left[index] = { ...block, kind: 'paragraph' }
  }
  return left
}
