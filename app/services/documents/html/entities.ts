/** The letters of ISO 8859-1 from U+00A0 on, in their order (HTML 4, 24.2.1). */
const LATIN =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'

/** Signs that texts use, beside letters. */
const SIGNS: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  sbquo: '‚',
  ldquo: '“',
  rdquo: '”',
  bdquo: '„',
  bull: '•',
  trade: '™',
  euro: '€',
  dagger: '†',
  permil: '‰',
  lsaquo: '‹',
  rsaquo: '›',
  larr: '←',
  uarr: '↑',
  rarr: '→',
  darr: '↓',
  harr: '↔',
  minus: '−',
  le: '≤',
  ge: '≥',
  ne: '≠',
  asymp: '≈',
  infin: '∞',
  check: '✓',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  zwnj: '\u200c',
  zwj: '\u200d',
  OElig: 'Œ',
  oelig: 'œ',
  Scaron: 'Š',
  scaron: 'š',
  alpha: 'α',
  beta: 'β',
  gamma: 'γ',
  delta: 'δ',
  lambda: 'λ',
  mu: 'μ',
  pi: 'π',
  sigma: 'σ',
  omega: 'ω',
}

const NAMED = new Map(Object.entries(SIGNS))
for (const [index, name] of LATIN.split(' ').entries()) {
  NAMED.set(name, name === 'nbsp' ? ' ' : String.fromCharCode(0xa0 + index))
}

/**
 * A text with its references as letters. Names that are not known stay as they are, and what stands for no letter is
 * U+FFFD (HTML, 13.2.5.80).
 */
export function withoutReferences(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#(\d+)|#[xX]([0-9a-fA-F]+)|([A-Za-z][A-Za-z0-9]{1,30}));?/g,
    (all, ...found) => {
      const [decimal, hexadecimal, name] = found as (string | undefined)[]
      if (name !== undefined) return NAMED.get(name) ?? all
      const point = decimal === undefined ? Number.parseInt(hexadecimal!, 16) : Number(decimal)
      const letter = point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)
      return letter ? String.fromCodePoint(point) : '\ufffd'
    }
  )
}
