import type { getDocumentProxy } from 'unpdf'
import type { Piece } from './types.ts'

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof getDocumentProxy>>['getPage']>>
type Matrix = [number, number, number, number, number, number]

/** What a font says about itself, as the reader exports it. */
type Font = {
  name?: string
  bold?: boolean
  black?: boolean
  composite?: boolean
  toUnicode?: object
}

type Face = { known: boolean; bold: boolean; mono: boolean }

/** Bold weights by the names that fonts have, those of TeX too (CMBX10). */
const BOLD = /bold|black|heavy|demi(?!c)|^cmb|^sfb|^lmb|-bd/i
const MONO = /mono|courier|typewriter|consol|^cmtt|^sftt|^lmtt|^cmsltt|fixed|code/i

/**
 * Pieces of text of a page, upright to the reader: those of the direction that most text runs in first, then what runs
 * across it, such as a remark along the margin.
 */
export async function piecesOf(
  page: Page
): Promise<{ groups: Piece[][]; height: number; unknown: boolean }> {
  const viewport = page.getViewport({ scale: 1 })
  const content = await page.getTextContent()
  const names = new Set(content.items.flatMap((item) => ('str' in item ? [item.fontName] : [])))
  /** Fonts are handed out with what is drawn, which costs as much as the text: once for each font is enough. */
  if ([...names].some((name) => !page.commonObjs.has(name))) await page.getOperatorList()
  const faces = new Map([...names].map((name) => [name, faceOf(page, name, content.styles)]))

  const turned = new Map<number, Piece[]>()
  let unknown = false
  let spaced = false
  for (const item of content.items) {
    if (!('str' in item)) continue
    if (item.str.trim() === '') {
      spaced ||= item.str !== ''
      continue
    }
    const face = faces.get(item.fontName)!
    if (!face.known) {
      unknown = true
      continue
    }
    const [a, b, c, d, x, y] = times(viewport.transform as Matrix, item.transform as Matrix)
    const quarter = ((Math.round(Math.atan2(b, a) / (Math.PI / 2)) % 4) + 4) % 4
    const [across, down] = upright(quarter, x, y, viewport)
    const pieces = turned.get(quarter) ?? []
    turned.set(quarter, pieces)
    pieces.push({
      text: item.str,
      x: across,
      y: down,
      width: item.width,
      size: Math.hypot(c, d),
      rtl: item.dir === 'rtl',
      bold: face.bold,
      mono: face.mono,
      spaced,
    })
    spaced = false
  }
  const groups = [...turned]
    .sort((one, two) => lettersOf(two[1]) - lettersOf(one[1]) || one[0] - two[0])
    .map(([, pieces]) => pieces)
  const sideways =
    groups.length > 0 && [...turned].find(([, one]) => one === groups[0])![0] % 2 === 1
  return { groups, height: sideways ? viewport.width : viewport.height, unknown }
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

function faceOf(page: Page, name: string, styles: Record<string, { fontFamily: string }>): Face {
  const font = page.commonObjs.has(name) ? (page.commonObjs.get(name) as Font | null) : null
  const face = (font?.name ?? '').replace(/^[A-Z]{6}\+/, '')
  return {
    known: lettersKnown(font),
    bold: font?.bold === true || font?.black === true || BOLD.test(face),
    mono: styles[name]?.fontFamily === 'monospace' || MONO.test(face),
  }
}

/**
 * A composite font without a map to Unicode only numbers its shapes: taking the numbers for letters would invent text.
 */
function lettersKnown(font: Font | null): boolean {
  const map = font?.toUnicode
  const identity = map !== undefined && 'firstChar' in map && 'lastChar' in map
  return !(font?.composite === true && identity)
}

function lettersOf(pieces: Piece[]): number {
  return pieces.reduce((sum, { text }) => sum + text.length, 0)
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
