import { Buffer } from 'node:buffer'
import { DocumentProblem } from '../document_problem.ts'
import type { KeptPages, ReadPage } from './kept_pages.ts'
import { withCatalogNamed } from './lost_catalog.ts'
import { PdfThreads, TakesTooMuch, type PdfThread } from './threads.ts'
import type { PageLines } from './types.ts'

/** More pages than this are refused: a file may say that it has billions. */
const MOST_PAGES = 20_000

/** Documents of fewer pages are read by one thread: opening the file in another costs more than it brings. */
const WORTH_ANOTHER_THREAD = 40

/** After so many pages that took too much the rest is left out: the file was made to do harm. */
const MOST_LOST = 3

/** Letters of one document, in UTF-16 units; what comes behind is left out. */
const MOST_LETTERS = 32 * 1_048_576

export type PdfPages = {
  /** In order; a page that could not be read has no lines. */
  pages: PageLines[]
  /** What the document itself calls its pages, such as `iv`. */
  labels: string[] | null
  warnings: DocumentProblem[]
}

export type ReadHooks = {
  /** Called after each page; what it throws ends the reading. */
  onPage?: (done: number, total: number) => Promise<void> | void
  /** Ends the reading at once, inside of a page too. */
  signal?: AbortSignal
  /** Pages that were read before, and where those that are read now are kept. */
  kept?: KeptPages
}

const shared = new PdfThreads()

/**
 * Lines of a PDF, page by page, read in threads. What cannot be read is left out and said.
 *
 * @throws DocumentProblem NOT_A_PDF, PDF_PASSWORD, PDF_DAMAGED, PDF_NO_TEXT, TOO_LARGE
 */
export async function readPdf(
  bytes: Uint8Array,
  hooks: ReadHooks = {},
  threads: PdfThreads = shared
): Promise<PdfPages> {
  if (!latin1(bytes.subarray(0, 1024)).includes('%PDF-')) {
    throw new DocumentProblem('NOT_A_PDF', 'does not begin as a PDF file does')
  }
  const { pages, labels, warnings } = await new Reading(bytes, hooks, threads).run()
  const empty = pages.every(({ lines }) => lines.length === 0)
  const damaged = warnings.find(({ code }) => code === 'PDF_DAMAGED')
  if (empty && damaged !== undefined) {
    throw new DocumentProblem('PDF_DAMAGED', `holds nothing that could be read: ${damaged.message}`)
  }
  warnings.unshift(...damages(bytes))
  if (empty && warnings.length === 0) {
    throw new DocumentProblem(
      'PDF_NO_TEXT',
      'holds no text, only pictures perhaps: recognise its text first'
    )
  }
  return { pages, labels, warnings }
}

/**
 * Reading one document: each of its threads takes the next page until none is left.
 */
class Reading {
  #pages = new Map<number, PageLines>()
  #labels: string[] | null = null
  #total = 0
  #next = 1
  #done = 0
  #letters = 0
  #unknown = false
  #lost = 0
  /** Numbers of pages that are left out, by the reason. */
  #left = new Map<string, number[]>()

  constructor(
    private bytes: Uint8Array,
    private hooks: ReadHooks,
    private threads: PdfThreads
  ) {}

  async run(): Promise<PdfPages> {
    const thread = await this.threads.borrow(this.hooks.signal)
    await this.#with(thread, async () => {
      await this.#open(thread)
      const another = this.#total < WORTH_ANOTHER_THREAD ? null : this.threads.borrowFree()
      const help =
        another === null
          ? undefined
          : this.#with(another, async () => {
              await this.#open(another)
              await this.#readOn(another)
            })
      await Promise.all([this.#readOn(thread), help])
    })
    return {
      pages: Array.from(
        { length: this.#total },
        (_, index) => this.#pages.get(index + 1) ?? { lines: [], height: 0 }
      ),
      labels: this.#labels,
      warnings: this.#warnings(),
    }
  }

  /** A thread that is in the middle of something when the reading ends is no use to the next document. */
  async #with(thread: PdfThread, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#next = Infinity
      thread.end()
      throw error
    } finally {
      this.threads.giveBack(thread)
    }
  }

  async #open(thread: PdfThread): Promise<void> {
    let answer = await this.#answered(thread)
    if ('refused' in answer && answer.refused === 'damaged') {
      const mended = withCatalogNamed(this.bytes)
      if (mended !== null) answer = await this.#answered(thread, mended)
    }
    if (!('opened' in answer)) {
      throw 'refused' in answer && answer.refused === 'password'
        ? new DocumentProblem('PDF_PASSWORD', 'needs a password; upload it without one')
        : new DocumentProblem('PDF_DAMAGED', 'is damaged: nothing of it could be recovered')
    }
    if (answer.opened > MOST_PAGES) {
      throw new DocumentProblem(
        'TOO_LARGE',
        `says that it has ${answer.opened} pages; at most ${MOST_PAGES} are read`
      )
    }
    this.#total = answer.opened
    this.#labels = answer.labels
  }

  async #answered(thread: PdfThread, bytes = this.bytes) {
    try {
      /** The thread takes the bytes over, so it gets its own. */
      return await thread.ask({ open: new Uint8Array(bytes) }, this.hooks.signal)
    } catch (cause) {
      if (!(cause instanceof TakesTooMuch)) throw cause
      throw new DocumentProblem('PDF_DAMAGED', `${cause.message} to open: it is not read`, {
        cause,
      })
    }
  }

  async #readOn(thread: PdfThread): Promise<void> {
    while (this.#next <= this.#total) {
      const number = this.#next++
      const before = this.hooks.kept?.known(number)
      if (before !== undefined) {
        this.#keep(number, before)
        await this.hooks.onPage?.(++this.#done, this.#total)
        continue
      }
      try {
        const answer = await thread.ask({ read: number }, this.hooks.signal)
        if ('page' in answer) {
          const { content, unknown } = answer
          this.#keep(number, { content, unknown })
          await this.hooks.kept?.add(number, { content, unknown })
        }
      } catch (cause) {
        if (!(cause instanceof TakesTooMuch)) throw cause
        this.#leaveOut(cause.message, number)
        if (++this.#lost >= MOST_LOST) this.#leaveRestOut('comes behind pages that take too much')
        else await this.#open(thread)
      }
      await this.hooks.onPage?.(++this.#done, this.#total)
    }
  }

  #keep(number: number, page: ReadPage): void {
    this.#unknown ||= page.unknown
    if (page.content === null) return this.#leaveOut('is damaged', number)
    this.#pages.set(number, page.content)
    this.#letters += page.content.lines.reduce((sum, { text }) => sum + text.length, 0)
    if (this.#letters > MOST_LETTERS) {
      this.#leaveRestOut(`comes behind ${MOST_LETTERS} letters, which is the most that is read`)
    }
  }

  #leaveOut(why: string, number: number): void {
    const numbers = this.#left.get(why) ?? []
    numbers.push(number)
    this.#left.set(why, numbers)
  }

  #leaveRestOut(why: string): void {
    while (this.#next <= this.#total) this.#leaveOut(why, this.#next++)
  }

  #warnings(): DocumentProblem[] {
    const warnings = [...this.#left].map(
      ([why, numbers]) =>
        new DocumentProblem('PDF_DAMAGED', `${pageNumbers(numbers)} ${why} and left out`)
    )
    if (this.#unknown) {
      warnings.push(
        new DocumentProblem(
          'PDF_UNKNOWN_LETTERS',
          'has a font that does not say which letters it draws: that text is left out'
        )
      )
    }
    return warnings
  }
}

function pageNumbers(numbers: number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b)
  if (sorted.length === 1) return `page ${sorted[0]}`
  return sorted.length <= 10
    ? `each of the pages ${sorted.join(', ')}`
    : `each of ${sorted.length} pages, the first ${sorted[0]} and the last ${sorted.at(-1)},`
}

/** Signs of damage that reading mends without a word (ISO 32000-1, 7.5.5). */
function damages(bytes: Uint8Array): DocumentProblem[] {
  const tail = latin1(bytes.subarray(-2048))
  if (!tail.includes('%%EOF')) {
    return [new DocumentProblem('PDF_DAMAGED', 'is cut off: what could be recovered of it is kept')]
  }
  const start = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(tail)?.[1] ?? Number.NaN)
  const table = latin1(bytes.subarray(start, start + 32))
  return Number.isNaN(start) || /^\s*(xref|\d+\s+\d+\s+obj)/.test(table)
    ? []
    : [
        new DocumentProblem(
          'PDF_DAMAGED',
          'has a wrong table of contents: what could be recovered of it is kept'
        ),
      ]
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
