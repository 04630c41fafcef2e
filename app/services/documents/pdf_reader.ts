import { Buffer } from 'node:buffer'
import { getDocumentProxy } from 'unpdf'
import { DocumentProblem } from './document_problem.ts'
import { linesInOrder, type Piece, type Segment } from './pdf_lines.ts'
import { pagesAsMarkdown } from './pdf_paragraphs.ts'

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>
type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>
type Matrix = [number, number, number, number, number, number]

export type PdfText = { pages: string[]; warnings: DocumentProblem[] }

/**
 * Text of a PDF as Markdown, page by page. What cannot be read is left out and said.
 *
 * @param onPage called after each page; what it throws ends the reading
 * @throws DocumentProblem NOT_A_PDF, PDF_PASSWORD, PDF_DAMAGED, PDF_NO_TEXT
 */
export async function readPdf(
  bytes: Uint8Array,
  onPage: (done: number, total: number) => Promise<void> | void
): Promise<PdfText> {
  if (!head(bytes).includes('%PDF-')) {
    throw new DocumentProblem('NOT_A_PDF', 'does not begin as a PDF file does')
  }
  const warnings: DocumentProblem[] = damages(bytes)
  const document = await open(bytes)
  try {
    const lines: Segment[][] = []
    let unknown = false
    for (let number = 1; number <= document.numPages; number++) {
      try {
        const page = await readPage(await document.getPage(number))
        lines.push(linesInOrder(page.pieces))
        unknown ||= page.unknown
      } catch (cause) {
        lines.push([])
        warnings.push(
          new DocumentProblem('PDF_DAMAGED', `page ${number} is damaged and left out`, { cause })
        )
      }
      await onPage(number, document.numPages)
    }
    if (unknown) {
      warnings.push(
        new DocumentProblem(
          'PDF_UNKNOWN_LETTERS',
          'has a font that does not say which letters it draws: that text is left out'
        )
      )
    }
    const pages = pagesAsMarkdown(lines)
    if (pages.every((page) => page === '') && !unknown && warnings.length === 0) {
      throw new DocumentProblem(
        'PDF_NO_TEXT',
        'holds no text, only pictures perhaps: recognise its text first'
      )
    }
    return { pages, warnings }
  } finally {
    await document.loadingTask.destroy()
  }
}

async function open(bytes: Uint8Array): Promise<PdfDocument> {
  try {
    /** The reader takes the bytes over, so it gets its own. `fontExtraProperties`: to know whether letters are known. */
    return await getDocumentProxy(new Uint8Array(bytes), {
      verbosity: 0,
      fontExtraProperties: true,
    })
  } catch (cause) {
    if ((cause as Error)?.name === 'PasswordException') {
      throw new DocumentProblem('PDF_PASSWORD', 'needs a password; upload it without one', {
        cause,
      })
    }
    throw new DocumentProblem('PDF_DAMAGED', 'is damaged: nothing of it could be recovered', {
      cause,
    })
  }
}

/** Signs of damage that reading mends without a word (ISO 32000-1, 7.5.5). */
function damages(bytes: Uint8Array): DocumentProblem[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tail = text.subarray(-2048).toString('latin1')
  if (!tail.includes('%%EOF')) {
    return [new DocumentProblem('PDF_DAMAGED', 'is cut off: what could be recovered of it is kept')]
  }
  const start = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(tail)?.[1] ?? Number.NaN)
  const table = text.subarray(start, start + 32).toString('latin1')
  return Number.isNaN(start) || /^\s*(xref|\d+\s+\d+\s+obj)/.test(table)
    ? []
    : [
        new DocumentProblem(
          'PDF_DAMAGED',
          'has a wrong table of contents: what could be recovered of it is kept'
        ),
      ]
}

async function readPage(page: PdfPage): Promise<{ pieces: Piece[]; unknown: boolean }> {
  const viewport = page.getViewport({ scale: 1 })
  /** Loads the page's fonts, which are asked below. */
  await page.getOperatorList()
  const content = await page.getTextContent()
  const pieces: Piece[] = []
  let unknown = false
  for (const item of content.items) {
    if (!('str' in item) || item.str.trim() === '') continue
    if (!lettersKnown(page, item.fontName)) {
      unknown = true
      continue
    }
    const [a, b, c, d, x, y] = times(viewport.transform as Matrix, item.transform as Matrix)
    const size = Math.hypot(c, d)
    /** Text that still runs upwards or downwards is turned, so that its lines lie flat. */
    const angle = Math.round(Math.atan2(b, a) / (Math.PI / 2)) * (Math.PI / 2)
    pieces.push({
      text: item.str,
      x: x * Math.cos(-angle) - y * Math.sin(-angle),
      y: x * Math.sin(-angle) + y * Math.cos(-angle),
      width: item.width,
      size,
      rtl: item.dir === 'rtl',
    })
  }
  page.cleanup()
  return { pieces, unknown }
}

/**
 * A composite font without a map to Unicode only numbers its shapes: taking the numbers for letters would invent text.
 */
function lettersKnown(page: PdfPage, fontName: string): boolean {
  const font = page.commonObjs.has(fontName) ? page.commonObjs.get(fontName) : null
  const map = font?.toUnicode
  const identity = map !== undefined && 'firstChar' in map && 'lastChar' in map
  return !(font?.composite === true && identity)
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

function head(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 1024)).toString('latin1')
}
