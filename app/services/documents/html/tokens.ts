/**
 * A part of an HTML text: words, or the beginning or end of an element. `end` is the place behind a beginning. Long words come in
 * parts.
 */
export type Token =
  | { kind: 'text'; text: string }
  | { kind: 'open'; name: string; attributes: string; end: number }
  | { kind: 'close'; name: string }

/** Elements whose content is no markup. */
const RAW = new Set([
  'script',
  'style',
  'textarea',
  'title',
  'xmp',
  'iframe',
  'noembed',
  'noframes',
])

/** Words that come at once, and what a reference is at most, in UTF-16 units. */
const LONGEST = 16_384
const LONGEST_REFERENCE = 1_024

const NAME = /[A-Za-z][A-Za-z0-9:-]{0,60}/y

/**
 * Parts of an HTML text in their order, read once from front to back whatever it holds: a tag or comment that nobody closes
 * goes to the end.
 */
export function* htmlTokens(html: string, from = 0): Generator<Token> {
  let at = from
  while (at < html.length) {
    const sign = html.indexOf('<', at)
    if (sign === -1) break
    if (sign > at) {
      if (sign - at <= LONGEST) yield { kind: 'text', text: html.slice(at, sign) }
      else yield* texts(html, at, sign)
    }
    const next = html[sign + 1]
    if (next === '!' || next === '?') {
      at = behindComment(html, sign)
      continue
    }
    const closes = next === '/'
    NAME.lastIndex = sign + (closes ? 2 : 1)
    const name = NAME.exec(html)?.[0].toLowerCase()
    if (name === undefined) {
      yield { kind: 'text', text: '<' }
      at = sign + 1
      continue
    }
    const end = endOfTag(html, NAME.lastIndex)
    const attributes = html.slice(NAME.lastIndex, end)
    at = end + 1
    if (closes) {
      yield { kind: 'close', name }
      continue
    }
    yield { kind: 'open', name, attributes, end: at }
    if (attributes.endsWith('/')) yield { kind: 'close', name }
    else if (RAW.has(name)) {
      const close = endOfRaw(html, at, name)
      yield* texts(html, at, close)
      at = close
    }
  }
  yield* texts(html, at, html.length)
}

/** Words in parts, no reference in two. */
function* texts(html: string, from: number, end: number): Generator<Token> {
  for (let at = from; at < end;) {
    let to = Math.min(end, at + LONGEST)
    if (to < end) {
      const reference = html.slice(to - LONGEST_REFERENCE, to).lastIndexOf('&')
      if (reference !== -1) to += reference - LONGEST_REFERENCE
    }
    yield { kind: 'text', text: html.slice(at, to) }
    at = to
  }
}

function behindComment(html: string, at: number): number {
  const [mark, length] = html.startsWith('<!--', at) ? ['-->', 3] : ['>', 1]
  const end = html.indexOf(mark, at + 2)
  return end === -1 ? html.length : end + length
}

/** Where a tag's `>` stands; those inside of quoted values do not count. */
function endOfTag(html: string, from: number): number {
  let quote = ''
  for (let at = from; at < html.length; at++) {
    const sign = html[at]
    if (quote !== '') {
      if (sign === quote) quote = ''
    } else if (sign === '"' || sign === "'") {
      quote = sign
    } else if (sign === '>') {
      return at
    }
  }
  return html.length
}

function endOfRaw(html: string, from: number, name: string): number {
  const close = new RegExp(`</${name}(?=[\\s/>])`, 'gi')
  close.lastIndex = from
  return close.exec(html)?.index ?? html.length
}
