import { DocumentProblem } from '#services/documents/document_problem'
import type { Cell } from './csv.ts'

/**
 * Takes CSV (RFC 4180) apart as it arrives, in pieces of any length. Lines end with CRLF, LF or CR.
 */
export class CsvRecords {
  /** Number of the line at which the current record began, from 1. */
  #line = 1
  #began = 1
  #cells: Cell[] = []
  #text = ''
  #quoted = false
  #state: 'start' | 'plain' | 'inside' | 'closed' | 'afterCr' = 'start'
  #length = 0

  constructor(private longest: number) {}

  /**
   * Records that the piece completes.
   *
   * @throws DocumentProblem DATASET_DAMAGED, TOO_LARGE
   */
  *push(piece: string): Generator<{ line: number; cells: Cell[] }> {
    let at = 0
    while (at < piece.length) {
      if (this.#state === 'inside') {
        const quote = piece.indexOf('"', at)
        const end = quote === -1 ? piece.length : quote
        this.#take(piece.slice(at, end))
        at = end + 1
        if (quote !== -1) this.#state = 'closed'
        continue
      }
      const code = piece.charCodeAt(at)
      if (this.#state === 'afterCr') {
        this.#state = 'start'
        if (code === 10) {
          at++
          continue
        }
      }
      if (code === 44) {
        this.#closeCell()
        at++
      } else if (code === 10 || code === 13) {
        this.#closeCell()
        yield { line: this.#began, cells: this.#closeRecord() }
        this.#state = code === 13 ? 'afterCr' : 'start'
        at++
      } else if (code === 34) {
        this.#quote()
        at++
      } else {
        if (this.#state === 'closed') this.#refuse('text behind a closing quote')
        const end = endOfPlain(piece, at)
        this.#state = 'plain'
        this.#take(piece.slice(at, end))
        at = end
      }
    }
  }

  /** The record that no line break ends. */
  *end(): Generator<{ line: number; cells: Cell[] }> {
    if (this.#state === 'inside') this.#refuse('a quote that nothing closes')
    const open = this.#cells.length > 0 || this.#text !== '' || this.#quoted
    if (!open) return
    this.#closeCell()
    yield { line: this.#began, cells: this.#closeRecord() }
  }

  #quote() {
    if (this.#state === 'closed') {
      this.#take('"')
      this.#state = 'inside'
    } else if (this.#state === 'start') {
      this.#quoted = true
      this.#state = 'inside'
    } else {
      this.#refuse('a quote in the middle of a cell')
    }
  }

  #take(text: string) {
    this.#length += text.length
    if (this.#length > this.longest) {
      throw new DocumentProblem(
        'TOO_LARGE',
        `has a record of more than ${this.longest} letters at line ${this.#began}`
      )
    }
    if (this.#state === 'inside') {
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#line++
    }
    this.#text += text
  }

  #closeCell() {
    this.#cells.push({ text: this.#text, quoted: this.#quoted })
    this.#text = ''
    this.#quoted = false
    this.#state = 'start'
  }

  #closeRecord(): Cell[] {
    const cells = this.#cells
    this.#cells = []
    this.#length = 0
    this.#began = ++this.#line
    return cells
  }

  #refuse(what: string): never {
    throw new DocumentProblem('DATASET_DAMAGED', `has ${what} at line ${this.#line}`)
  }
}

function endOfPlain(piece: string, from: number): number {
  let at = from + 1
  while (at < piece.length) {
    const code = piece.charCodeAt(at)
    if (code === 44 || code === 10 || code === 13 || code === 34) break
    at++
  }
  return at
}
