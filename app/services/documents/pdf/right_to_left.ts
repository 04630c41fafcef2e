const RTL = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u
const ALL_RTL = new RegExp(RTL, 'gu')
const LTR = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}]/gu

/** Letters and numbers that run to the right inside of a line that runs to the left. */
const ISLAND =
  /[\p{Script=Latin}\p{N}](?:[\p{Script=Latin}\p{M}\p{N}.,:/@_+%-]*[\p{Script=Latin}\p{N}%])?/gu

/** What runs to the left inside of a line that runs to the right. */
const RUN = new RegExp(`${RTL.source}(?:[^\\p{Script=Latin}\\p{N}]*${RTL.source}\\p{M}*)*`, 'gu')

const MIRRORED: Record<string, string> = {
  '(': ')',
  ')': '(',
  '[': ']',
  ']': '[',
  '{': '}',
  '}': '{',
  '<': '>',
  '>': '<',
  '«': '»',
  '»': '«',
}

/**
 * A line as it is read, from its letters as they stand on the page from left to right: PDF files paint Hebrew and Arabic in
 * the order of places, not of reading.
 */
export function inLogicalOrder(text: string): string {
  if (!RTL.test(text)) return text
  const toTheLeft = text.match(ALL_RTL)!.length
  const toTheRight = text.match(LTR)?.length ?? 0
  if (toTheLeft < toTheRight) return text.replace(RUN, reversed)
  return reversed(text).replace(ISLAND, backwards)
}

function reversed(text: string): string {
  return backwards(text).replace(/[()[\]{}<>«»]/g, (sign) => MIRRORED[sign])
}

/** Marks stay behind their letters. */
function backwards(text: string): string {
  return [...text]
    .reverse()
    .join('')
    .replace(/(\p{M}+)(\P{M})/gu, '$2$1')
}
