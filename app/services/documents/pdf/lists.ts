/** What writers put in front of list items, signs of symbol fonts too. */
const BULLET = /^(?:[•▪‣◦●○■□◆◇▶►∗∙·⁃❖✦➢➤\uf0a7\uf0b7\uf076]|[-–—*](?=\s))\s*/
/** A page that is referred to, `(p. 40)`, may begin a line as well. */
const NUMBER = /^(?!\(?p\. \d)(?:\(?\d{1,3}[.)]|\(?[a-z][.)]|\([ivx]{1,5}\))(?=\s)\s*/
const ALONE = /^(?:[•▪‣◦●○■□◆◇▶►∗∙·⁃❖✦➢➤\uf0a7\uf0b7\uf076–*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])$/

/**
 * The mark of a list item at the beginning of a line: `-` for any bullet, numbers and letters as they are; and the text
 * behind it.
 *
 * @param alone the whole text has to be a mark
 */
export function listMarker(text: string, alone = false): { marker: string; rest: string } | null {
  if (alone) return ALONE.test(text) ? { marker: text, rest: '' } : null
  const bullet = BULLET.exec(text)
  if (bullet !== null) return { marker: '-', rest: text.slice(bullet[0].length) }
  const number = NUMBER.exec(text)
  return number === null ? null : { marker: number[0].trim(), rest: text.slice(number[0].length) }
}
