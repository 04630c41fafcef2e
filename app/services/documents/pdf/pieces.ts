import type { getDocumentProxy } from 'unpdf'
import { AnnotationMode } from 'unpdf/pdfjs'
import { type Lettering, lettersOf as lettersOfGlyph } from './known_letters.ts'
import { type Face, type Painted, PaintedText } from './painted_text.ts'
import type { Piece, Rule } from './types.ts'

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof getDocumentProxy>>['getPage']>>

/** What a font says about itself, as the reader exports it. */
type Font = Lettering & {
  name?: string
  bold?: boolean
  black?: boolean
  fallbackName?: string
  vertical?: boolean
  fontMatrix?: number[]
}

/** Bold weights by the names that fonts have, those of TeX too (CMBX10). */
const BOLD = /bold|black|heavy|demi(?!c)|^cmb|^sfb|^lmb|-bd/i
const MONO = /mono|courier|typewriter|consol|^cmtt|^sftt|^lmtt|^cmsltt|fixed|code/i

/**
 * Pieces of text of a page, upright to the reader: those of the direction that most text runs in first, then what runs
 * across it, such as a remark along the margin. And the rules on the page, as they lie to the first of them.
 */
export async function piecesOf(
  page: Page
): Promise<{ groups: Piece[][]; rules: Rule[]; height: number; unknown: boolean }> {
  const { width, height, transform } = page.getViewport({ scale: 1 })
  /** Following what is drawn takes half of the time of `getTextContent`, and tells more of each font. */
  const drawn = await page.getOperatorList({ annotationMode: AnnotationMode.DISABLE })
  const faces = new Map<string, Face | null>()
  const painted = new PaintedText(transform as never, (name) => {
    if (!faces.has(name)) faces.set(name, faceOf(page, name))
    return faces.get(name)!
  })
  painted.follow(drawn)

  const turned = new Map<number, Piece[]>()
  for (const { quarter, artifact, ...piece } of withoutDecoration(painted.pieces)) {
    const [x, y] = upright(quarter, piece.x, piece.y, { width, height })
    const [right, bottom] = quarter % 2 === 1 ? [height, width] : [width, height]
    /** Printers' marks, and the other half of a sheet that was cut in two, are on no page that a person sees. */
    if (x >= right || x + piece.width <= 0 || y - piece.size >= bottom || y <= 0) continue
    const pieces = turned.get(quarter) ?? []
    turned.set(quarter, pieces)
    pieces.push({ ...piece, x, y })
  }
  const sorted = [...turned].sort((a, b) => lettersOf(b[1]) - lettersOf(a[1]) || a[0] - b[0])
  const quarter = sorted[0]?.[0] ?? 0
  const sideways = quarter % 2 === 1
  return {
    rules: painted.rules.all.map(({ x1, y1, x2, y2 }) => {
      const [left, top] = upright(quarter, x1, y1, { width, height })
      const [right, bottom] = upright(quarter, x2, y2, { width, height })
      return { x1: left, y1: top, x2: right, y2: bottom }
    }),
    groups: sorted.map(([, pieces]) => pieces),
    height: sideways ? width : height,
    unknown: painted.unknown,
  }
}

/** Without what the writer says is no content, such as running heads; unless that is most of the page. */
function withoutDecoration(pieces: Painted[]): Painted[] {
  const content = pieces.filter(({ artifact }) => !artifact)
  return lettersOf(content) * 2 > lettersOf(pieces) ? content : pieces
}

/** Turns a place so that text which runs a number of quarters clockwise lies flat, with the origin still at the left top. */
function upright(
  quarter: number,
  x: number,
  y: number,
  { width, height }: { width: number; height: number }
): [number, number] {
  switch (quarter) {
    case 1:
      return [y, width - x]
    case 2:
      return [width - x, height - y]
    case 3:
      return [height - y, x]
    default:
      return [x, y]
  }
}

/** A font that could not be read; in its place the reader says why. */
const BROKEN: Face = {
  broken: true,
  lettersOf: () => null,
  bold: false,
  mono: false,
  sans: false,
  vertical: false,
  scale: 0.001,
}

function faceOf(page: Page, name: string): Face | null {
  const font = page.commonObjs.has(name)
    ? (page.commonObjs.get(name) as Font | string | null)
    : null
  if (font === null) return null
  if (typeof font === 'string') return BROKEN
  const face = (font.name ?? '').replace(/^[A-Z]{6}\+/, '')
  return {
    broken: false,
    lettersOf: (glyph) => lettersOfGlyph(font, glyph),
    bold: font.bold === true || font.black === true || BOLD.test(face),
    mono: font.fallbackName === 'monospace' || MONO.test(face),
    sans: font.fallbackName === 'sans-serif',
    vertical: font.vertical === true,
    scale: font.fontMatrix?.[0] ?? 0.001,
  }
}

function lettersOf(pieces: { text: string }[]): number {
  return pieces.reduce((sum, { text }) => sum + text.length, 0)
}
