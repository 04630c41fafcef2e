import { normalizeUnicode, OPS } from 'unpdf/pdfjs'
import { type Matrix, matrixOf, times } from './matrix.ts'
import { Rules } from './rules.ts'
import type { Piece } from './types.ts'

/** A letter that a font draws, as the reader knows it; `width` in thousandths of the size. */
type Glyph = {
  originalCharCode: number
  unicode: string
  width: number
  isSpace: boolean
  vmetric?: number[] | null
}

/** What a font says about itself. */
export type Face = {
  /** It could not be read: what it draws has no letters. */
  broken: boolean
  /** The letters that a glyph stands for; null where they are not known. */
  lettersOf: (glyph: Glyph) => string | null
  bold: boolean
  mono: boolean
  sans: boolean
  /** Lines run downwards. */
  vertical: boolean
  /** Of the unit of widths to the unit of the size, usually a thousandth. */
  scale: number
}

/** A gap, in sizes of the letters, that parts words of one piece, and one that ends the piece. */
const WORD_GAP = 0.16
const PIECE_GAP = 1

/** A space that is drawn this narrow, in sizes of the letters, parts no words: some writers set spaces where there are none. */
const NO_GAP = 0.06

/** A letter that is moved back by so many sizes stands below the accent in front of it. */
const UNDER_ACCENT = 0.2

/** Accents that stand alone, and those that go with the letter in front of them. */
const ACCENTS = new Map([
  ['`', '\u0300'],
  ['\u00b4', '\u0301'],
  ['\u02c6', '\u0302'],
  ['\u02dc', '\u0303'],
  ['\u00af', '\u0304'],
  ['\u02d8', '\u0306'],
  ['\u02d9', '\u0307'],
  ['\u00a8', '\u0308'],
  ['\u02da', '\u030a'],
  ['\u02dd', '\u030b'],
  ['\u02c7', '\u030c'],
])

/** Stands for letters that are not known as long as their place counts. */
const UNKNOWN = '\ufffd'

/** So few letters with wide gaps inside of a line are ends and beginnings of words; more of them are a title set wide. */
const MOST_WORD_ENDS = 16

/** How deep drawings may lie in each other, and how many pieces a page may have: more was made to do harm. */
const DEEPEST = 1_000
const MOST_PIECES = 200_000

type State = {
  matrix: Matrix
  face: Face | null
  size: number
  letterSpacing: number
  wordSpacing: number
  stretch: number
  leading: number
  rise: number
}

/** Letters of one piece, and how far along they begin and end. */
type Run = { text: string; start: number; end: number }

/** Letters with wide gaps at the beginning of a line, as they were shown: what follows tells whether the gaps part words. */
type Wide = {
  glyphs: (Glyph | number)[]
  state: State
  text: Matrix
  spaced: boolean
  pieces: number
}

/** A piece with the direction that it runs in, in quarters clockwise. */
export type Painted = Piece & { quarter: number; artifact: boolean }

/**
 * Follows what a page draws and gives its pieces of text (ISO 32000-1, 9.4). Places are those of the page as a reader sees
 * it, from the left and from the top.
 */
export class PaintedText {
  pieces: Painted[] = []
  /** Text was left out because its letters are not known. */
  unknown = false
  rules = new Rules()

  #faceOf: (name: string) => Face | null
  #state: State
  #saved: State[] = []
  #line: Matrix = [1, 0, 0, 1, 0, 0]
  #text: Matrix = [1, 0, 0, 1, 0, 0]
  #spaced = false
  /** Where the last letter ended, and the letter spacing that it was shown with. */
  #end = { x: Number.NaN, y: Number.NaN, spacing: 0 }
  #wide: Wide | null = null
  /** Whether each open part of the content is decoration of the page, as its writer says. */
  #marks: boolean[] = []

  constructor(view: Matrix, faceOf: (name: string) => Face | null) {
    this.#faceOf = faceOf
    this.#state = {
      matrix: view,
      face: null,
      size: 1,
      letterSpacing: 0,
      wordSpacing: 0,
      stretch: 1,
      leading: 0,
      rise: 0,
    }
  }

  follow({ fnArray, argsArray }: { fnArray: number[]; argsArray: any[] }): void {
    for (const [index, operator] of fnArray.entries()) this.#do(operator, argsArray[index])
  }

  #do(operator: number, args: any): void {
    const state = this.#state
    switch (operator) {
      case OPS.showText:
        return this.#show(args[0])
      case OPS.setTextMatrix:
        this.#line = matrixOf(args)
        this.#text = this.#line
        return
      case OPS.moveText:
        return this.#move(args[0], args[1])
      case OPS.setLeadingMoveText:
        state.leading = -args[1]
        return this.#move(args[0], args[1])
      case OPS.nextLine:
        return this.#move(0, -state.leading)
      case OPS.beginText:
        this.#line = [1, 0, 0, 1, 0, 0]
        this.#text = this.#line
        return
      case OPS.setFont:
        state.face = this.#faceOf(args[0])
        state.size = args[1]
        return
      case OPS.setGState:
        for (const [key, value] of args[0]) {
          if (key === 'Font') this.#do(OPS.setFont, value)
        }
        return
      case OPS.setCharSpacing:
        state.letterSpacing = args[0]
        return
      case OPS.setWordSpacing:
        state.wordSpacing = args[0]
        return
      case OPS.setHScale:
        state.stretch = args[0] / 100
        return
      case OPS.setLeading:
        state.leading = args[0]
        return
      case OPS.setTextRise:
        state.rise = args[0]
        return
      case OPS.transform:
        state.matrix = times(state.matrix, matrixOf(args))
        return
      case OPS.save:
        return this.#save()
      case OPS.restore:
      case OPS.paintFormXObjectEnd:
        this.#state = this.#saved.pop() ?? state
        return
      case OPS.paintFormXObjectBegin:
        this.#save()
        if (args[0]) this.#state.matrix = times(state.matrix, matrixOf(args[0]))
        return
      case OPS.constructPath:
        this.rules.add(args, state.matrix)
        return this.#underscore()
      case OPS.beginMarkedContent:
      case OPS.beginMarkedContentProps:
        this.#marks.push(this.#marks.at(-1) === true || args?.[0] === 'Artifact')
        return
      case OPS.endMarkedContent:
        this.#marks.pop()
    }
  }

  #save(): void {
    if (this.#saved.length < DEEPEST) this.#saved.push({ ...this.#state })
  }

  #move(x: number, y: number): void {
    this.#line = times(this.#line, [1, 0, 0, 1, x, y])
    this.#text = this.#line
  }

  /**
   * Some writers draw no spaces, and bridge them with a letter spacing between the end of one word and the beginning of the
   * next: `(an) Tj 3.3 Tc (yo) Tj 0 Tc (ther) Tj`. Such letters touch others of the line that are not spaced.
   */
  #show(glyphs: (Glyph | number)[]): void {
    this.#settle()
    const { face, size, letterSpacing } = this.#state
    if (face === null) return
    this.unknown ||= face.broken
    const wide =
      letterSpacing > Math.abs(size) * WORD_GAP &&
      letterSpacing !== this.#end.spacing &&
      glyphs.length <= MOST_WORD_ENDS
    const parts = wide && this.#rest(letterSpacing) !== null
    if (wide && !parts) {
      this.#wide = {
        glyphs,
        state: { ...this.#state },
        text: this.#text,
        spaced: this.#spaced,
        pieces: this.pieces.length,
      }
    }
    this.#paint(glyphs, face, parts)
  }

  /** Letters with wide gaps that others follow without one: the gaps part words. */
  #settle(): void {
    const wide = this.#wide
    this.#wide = null
    const { letterSpacing } = this.#state
    if (wide === null || letterSpacing === wide.state.letterSpacing) return
    const rest = this.#rest(wide.state.letterSpacing)
    if (rest === null) return
    const [state, text] = [this.#state, this.#text]
    this.pieces.length = wide.pieces
    this.#spaced = wide.spaced
    this.#state = wide.state
    this.#text = wide.text
    this.#paint(wide.glyphs, wide.state.face!, true)
    if (this.pieces.length > wide.pieces) this.pieces.at(-1)!.width += rest
    this.#state = state
    this.#text = text
  }

  /** How far the next letter stands from where the last one ended; null where that is half of a letter spacing or more. */
  #rest(spacing: number): number | null {
    const [a, b, , , e, f] = times(this.#state.matrix, this.#text)
    const rest = Math.hypot(e - this.#end.x, f - this.#end.y)
    return rest < (spacing / 2) * Math.hypot(a, b) ? rest : null
  }

  /** @param parts the letter spacing is wide because it parts words */
  #paint(glyphs: (Glyph | number)[], face: Face, parts: boolean): void {
    const { size, letterSpacing, wordSpacing, stretch } = this.#state
    const along = face.vertical ? 1 : stretch
    const narrow = NO_GAP * Math.abs(size * along)
    const trailing = parts ? letterSpacing * along : 0
    const run: Run = { text: '', start: 0, end: 0 }
    let at = 0
    /** The next letter stands below the accent in front of it. */
    let accented = false
    const close = () => {
      if (run.text !== '') this.#add(run, face)
      run.text = ''
    }
    for (const glyph of glyphs) {
      if (typeof glyph === 'number') {
        const gap = ((face.vertical ? 1 : -1) * glyph * size * along) / 1_000
        const relative = gap / (size * along || 1)
        accented = relative < -UNDER_ACCENT && ACCENTS.has(run.text.at(-1) ?? '')
        if (relative > PIECE_GAP || (relative < -PIECE_GAP / 2 && !accented)) close()
        if (relative > WORD_GAP) this.#space(run)
        at += gap
        continue
      }
      const width = face.vertical
        ? -((glyph.vmetric?.[0] ?? -1_000) / 1_000) * size
        : glyph.width * face.scale * size
      const next = at + (width + letterSpacing + (glyph.isSpace ? wordSpacing : 0)) * along
      if (glyph.unicode.trim() === '') {
        if (Math.abs(next - at) > narrow) this.#space(run, face.mono)
      } else {
        if (parts && run.text !== '' && at - run.end > WORD_GAP * Math.abs(size * along)) {
          this.#space(run)
        }
        const known = face.lettersOf(glyph)
        this.unknown ||= known === null
        const letters = known ?? UNKNOWN
        if (run.text === '') run.start = at
        run.text = accented ? withAccent(run.text, letters) : run.text + letters
        run.end = next - trailing
        accented = false
      }
      at = next
    }
    close()
    this.#ends(at - letterSpacing * along, face.vertical)
    this.#text = times(this.#text, [1, 0, 0, 1, ...(face.vertical ? [0, -at] : [at, 0])] as Matrix)
  }

  /** TeX draws a short rule at the foot of the line, right behind the letter before, for the letter `_`. */
  #underscore(): void {
    const rule = this.rules.last
    const before = this.pieces.at(-1)
    if (rule === null || before === undefined || before.quarter !== 0) return
    const { size, y } = before
    const [width, gap] = [rule.x2 - rule.x1, rule.x1 - this.#end.x]
    const atFoot = rule.y1 > y - size * 0.1 && rule.y1 < y + size * 0.35
    if (!atFoot || Math.abs(rule.y1 - rule.y2) > size * 0.1) return
    if (width < size * 0.2 || width > size * 0.65 || Math.abs(gap) > size * WORD_GAP) return
    this.#settle()
    this.pieces.push({ ...before, text: '_', x: rule.x1, width, spaced: false })
    this.#end.x = rule.x2
  }

  /** A rule above the next letter, not in front of it, belongs to the sign of a root. */
  #root(next: number): void {
    const last = this.pieces.at(-1)
    const isAbove = last?.text === '_' && next >= last.x - 1 && next < last.x + last.width / 2
    if (isAbove && this.rules.last !== null) this.pieces.pop()
    this.rules.last = null
  }

  #ends(at: number, vertical: boolean): void {
    const { matrix, letterSpacing } = this.#state
    const [a, b, c, d, e, f] = this.#text
    const x = vertical ? e - c * at : e + a * at
    const y = vertical ? f - d * at : f + b * at
    this.#end.x = matrix[0] * x + matrix[2] * y + matrix[4]
    this.#end.y = matrix[1] * x + matrix[3] * y + matrix[5]
    this.#end.spacing = letterSpacing
  }

  /** Of equally wide letters each space counts: they may indent or align something. */
  #space(run: { text: string }, each = false): void {
    if (run.text === '') this.#spaced = true
    else if (each || !run.text.endsWith(' ')) run.text += ' '
  }

  #add({ text, start, end }: Run, face: Face): void {
    const { size, rise, matrix } = this.#state
    const [a, b, c, d, e, f] = times(matrix, this.#text)
    const spaced = this.#spaced
    this.#spaced = text.endsWith(' ')
    const letters = readable(text)
    if (letters === '' || this.pieces.length >= MOST_PIECES) return
    const [x, y] = face.vertical ? [0, -start] : [start, rise]
    this.#root(a * x + c * y + e)
    const [alongX, alongY] = face.vertical ? [-c, -d] : [a * Math.sign(size), b * Math.sign(size)]
    const quarter = ((Math.round(Math.atan2(alongY, alongX) / (Math.PI / 2)) % 4) + 4) % 4
    this.pieces.push({
      text: letters,
      x: a * x + c * y + e,
      y: b * x + d * y + f,
      width: Math.abs(end - start) * Math.hypot(alongX, alongY),
      size: Math.abs(size) * Math.hypot(c, d),
      bold: face.bold,
      mono: face.mono,
      sans: face.sans,
      spaced,
      quarter,
      artifact: this.#marks.at(-1) === true,
    })
  }
}

/** A text that ends with an accent, and the letter below it. */
function withAccent(text: string, letter: string): string {
  const one = (letter.replace('\u0131', 'i') + ACCENTS.get(text.at(-1)!)).normalize('NFC')
  return one.length === 1 ? text.slice(0, -1) + one : text + letter
}

/** All but forms of Hebrew and Arabic, whose letters are put into the order of reading first, and the long s with t. */
const ORDERED = /[^\ufb05\ufb1d-\ufdff\ufe70-\ufefc]+/g

/** Ligatures as letters; what is not known is left out. */
function readable(text: string): string {
  return text.replace(ORDERED, normalizeUnicode).replaceAll(UNKNOWN, '').trim()
}
