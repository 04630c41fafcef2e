import { normalizeUnicode, OPS } from 'unpdf/pdfjs'
import type { Piece } from './types.ts'

type Matrix = [number, number, number, number, number, number]

/** A letter that a font draws, as the reader knows it; `width` in thousandths of the size. */
type Glyph = { unicode: string; width: number; isSpace: boolean; vmetric?: number[] | null }

/** What a font says about itself. */
export type Face = {
  /** Its letters are known. */
  known: boolean
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

  #faceOf: (name: string) => Face | null
  #state: State
  #saved: State[] = []
  #line: Matrix = [1, 0, 0, 1, 0, 0]
  #text: Matrix = [1, 0, 0, 1, 0, 0]
  #spaced = false
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

  #show(glyphs: (Glyph | number)[]): void {
    const { face, size, letterSpacing, wordSpacing, stretch } = this.#state
    if (face === null) return
    this.unknown ||= !face.known
    const along = face.vertical ? 1 : stretch
    const run = { text: '', start: 0, end: 0 }
    let at = 0
    const close = () => {
      if (run.text !== '') this.#add(run, face)
      run.text = ''
    }
    for (const glyph of glyphs) {
      if (typeof glyph === 'number') {
        const gap = ((face.vertical ? 1 : -1) * glyph * size * along) / 1_000
        const relative = gap / (size * along || 1)
        if (relative > PIECE_GAP || relative < -PIECE_GAP / 2) close()
        if (relative > WORD_GAP) this.#space(run)
        at += gap
        continue
      }
      const width = face.vertical
        ? -((glyph.vmetric?.[0] ?? -1_000) / 1_000) * size
        : glyph.width * face.scale * size
      const next = at + (width + letterSpacing + (glyph.isSpace ? wordSpacing : 0)) * along
      if (glyph.unicode.trim() === '') {
        this.#space(run, face.mono)
      } else {
        if (run.text === '') run.start = at
        run.text += glyph.unicode
        run.end = next
      }
      at = next
    }
    close()
    this.#text = times(this.#text, [1, 0, 0, 1, ...(face.vertical ? [0, -at] : [at, 0])] as Matrix)
  }

  /** Of equally wide letters each space counts: they may indent or align something. */
  #space(run: { text: string }, each = false): void {
    if (run.text === '') this.#spaced = true
    else if (each || !run.text.endsWith(' ')) run.text += ' '
  }

  #add({ text, start, end }: { text: string; start: number; end: number }, face: Face): void {
    const { size, rise, matrix } = this.#state
    const [a, b, c, d, e, f] = times(matrix, this.#text)
    const spaced = this.#spaced
    this.#spaced = text.endsWith(' ')
    const letters = face.known ? readable(text) : ''
    if (letters === '' || this.pieces.length >= MOST_PIECES) return
    const [x, y] = face.vertical ? [0, -start] : [start, rise]
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

/** Fonts of TeX without names for their letters have the bullet here, where no letter is. */
const TEX_BULLET = '\x88'

/** Ligatures as letters; what stands for no letter of any language is left out. */
function readable(text: string): string {
  return normalizeUnicode(text)
    .replaceAll(TEX_BULLET, '•')
    .replace(/[\p{Cc}\ufffd]|(?![\uf0b7\uf0a7\uf076])\p{Co}/gu, '')
    .toWellFormed()
    .trim()
}

function matrixOf(args: ArrayLike<number> | [ArrayLike<number>]): Matrix {
  return Array.from(typeof args[0] === 'number' ? (args as ArrayLike<number>) : args[0]) as Matrix
}

function times(first: Matrix, second: Matrix): Matrix {
  const [a, b, c, d, e, f] = first
  const [g, h, i, j, k, l] = second
  return [
    a * g + c * h,
    b * g + d * h,
    a * i + c * j,
    b * i + d * j,
    a * k + c * l + e,
    b * k + d * l + f,
  ]
}
