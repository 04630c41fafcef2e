/** What a font says about its letters, as the reader exports it. */
export type Lettering = {
  composite?: boolean
  /** What its codes stand for; only its first and last code where it does not say. */
  toUnicode?: { _map?: (string | number | undefined)[]; firstChar?: number; lastChar?: number }
  /** Names of its glyphs, by their codes, where they are others than usual. */
  differences?: (string | undefined)[]
}

/** A glyph that a font draws: its code, and what the reader takes it for, which is the code itself where nothing is known. */
type Glyph = { originalCharCode: number; unicode: string }

/** Fonts of TeX without names for their letters have the bullet here, where no letter is. */
const TEX_BULLET = '\x88'

/** What stands for no letter of any language. */
const NO_LETTER = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\ufffd]/u

/** What the reader makes of one half of a pair of code units, whatever the other half should be: of U+D83C to U+D83E, and of U+DC00. */
const HALVES =
  /[\u{1f000}\u{1f400}\u{1f800}\u{10000}]|(?![\p{Cs}\p{Co}])[\u{10000}-\u{10ffff}](?<=\p{Cn})/u

/** A name that only counts, as `g12` or `glyph7`, and one that only says a code, as `#28`. */
const COUNTED = /^[a-z]{1,10}[_.-]?(\d+)$/i
const CODED = /^#([\da-f]{2})$/i

/**
 * The letters that a glyph of a font stands for; null where the font does not say, as taking its code for a letter would invent text.
 */
export function lettersOf(font: Lettering, glyph: Glyph): string | null {
  const { originalCharCode: code, unicode } = glyph
  const { _map: map, firstChar } = font.toUnicode ?? {}
  if (font.composite === true && (map === undefined ? firstChar !== undefined : !map[code])) {
    return null
  }
  const name = font.differences?.[code]
  const named = map !== undefined && !map[code] && name !== undefined
  const letters = named ? lettersOfName(name, glyph) : unicode
  if (letters === TEX_BULLET) return '•'
  return letters === null || NO_LETTER.test(letters) || HALVES.test(letters) ? null : letters
}

/** Of a name that is on no list: variants of letters, several of them in one, the letter itself, or its code (Type 3 fonts of TeX). */
function lettersOfName(name: string, { originalCharCode: code, unicode }: Glyph): string | null {
  const [base, variant] = name.split('.')
  const parts = base.split('_')
  if (parts.every((part) => /^[a-z]$/i.test(part))) return parts.join('')
  const codes = [Number(COUNTED.exec(name)?.[1]), Number(`0x${CODED.exec(name)?.[1]}`)]
  return variant !== undefined || name === unicode || codes.includes(code) ? unicode : null
}
