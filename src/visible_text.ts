/**
 * What moves a terminal's cursor or nothing at all, turns the direction of writing, or takes no room: with it one name looks like
 * another, or like a file of another kind. Tabs and line breaks are not among it.
 */
const HIDDEN =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]/

/** Joiners and choosers of a form belong to pictures and to other scripts; behind a letter of these they only hide. */
const NEEDLESS =
  /(?<=^|[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{Nd}!-/:-@[-`{-~\s])[\u200c\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]+(?!\u20e3)/u

/** Letters that nobody sees, but in the flags of England, Scotland and Wales. */
const TAGS = /(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]*)[\u{e0000}-\u{e007f}]/u

const ANY = new RegExp(`${HIDDEN.source}|${NEEDLESS.source}|${TAGS.source}`, 'gu')

/** Whether a text may hold any at all: most hold none, and this is soon said. */
const SUSPECT = new RegExp(
  `${HIDDEN.source}|[\\u200c\\u200d\\ufe00-\\ufe0f]|[\\u{e0000}-\\u{e01ef}]`,
  'u'
)

/**
 * A text in which nobody is deceived by what cannot be seen: characters without a picture of their own are written out, as in
 * `invoice\u202efdp.exe`. For showing only: what is kept, sent or filled into a form stays as it is.
 */
export function visibleText(text: string): string {
  return SUSPECT.test(text) ? text.replace(ANY, written) : text
}

/** A text area, whose content is a value; a tag; or what stands between tags. */
const PARTS = /<textarea\b[^>]*>[^<]*|<[^>]*>|[^<]+/gi

const SAID = /( (?:title|aria-label|alt)=")([^"]*)/g

/**
 * The same for a whole page of ours, whose attributes are escaped: its texts, and the attributes that are read to people. Values and
 * addresses stay as they are.
 */
export function visibleMarkup(html: string): string {
  if (!SUSPECT.test(html)) return html
  return html.replace(PARTS, (part) => {
    if (!part.startsWith('<')) return visibleText(part)
    return part.replace(SAID, (_, name: string, value: string) => name + visibleText(value))
  })
}

function written(characters: string): string {
  return Array.from(characters, (character) => {
    const code = character.codePointAt(0)!.toString(16)
    if (code.length > 4) return `\\u{${code}}`
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`
  }).join('')
}
