import { DocumentProblem } from '#services/documents/document_problem'

/**
 * Takes the elements of a JSON list apart as it arrives, in pieces of any length, without reading the whole.
 */
export class JsonElements {
  #state: 'before' | 'element' | 'between' | 'after' = 'before'
  #depth = 0
  #inString = false
  #escaped = false
  #text = ''
  #number = 0

  /**
   * @param behind whether anything may stand behind the end of the list, as in a larger document
   */
  constructor(
    private longest: number,
    private behind: 'refused' | 'ignored' = 'refused'
  ) {}

  /**
   * Texts of the elements that the piece completes.
   *
   * @throws DocumentProblem DATASET_DAMAGED, TOO_LARGE
   */
  *push(piece: string): Generator<{ number: number; text: string }> {
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const code = piece.charCodeAt(at)
      if (this.#state === 'element') {
        if (this.#inString) {
          at = this.#behindString(piece, at) - 1
          continue
        }
        if (code === 34) this.#inString = true
        else if (code === 123 || code === 91) this.#depth++
        else if ((code === 125 || code === 93) && this.#depth > 0) this.#depth--
        else if (this.#depth === 0 && (code === 44 || code === 93)) {
          this.#take(piece.slice(from, at))
          yield this.#close()
          this.#state = code === 44 ? 'between' : 'after'
        }
        continue
      }
      if (this.#state === 'after' && this.behind === 'ignored') return
      if (code === 32 || code === 10 || code === 13 || code === 9) continue
      if (this.#state === 'before') {
        if (code !== 91) this.#refuse('does not begin with "[": a list of examples is expected')
        this.#state = 'between'
      } else if (this.#state === 'between') {
        if (code === 93 && this.#number === 0) this.#state = 'after'
        else if (code === 44 || code === 93) this.#refuse(`has nothing behind the comma`)
        else {
          this.#state = 'element'
          from = at
          at--
        }
      } else this.#refuse('goes on behind the end of its list')
    }
    if (this.#state === 'element') this.#take(piece.slice(from))
  }

  /**
   * @throws DocumentProblem DATASET_DAMAGED when the list has not ended
   */
  end(): void {
    if (this.#state !== 'after') {
      this.#refuse(`is cut off behind example ${this.#number}`)
    }
  }

  /** Where the string that is open ends, or the piece does. Most of a text is skipped from quote to quote. */
  #behindString(piece: string, from: number): number {
    let at = from
    if (this.#escaped) {
      this.#escaped = false
      at++
    }
    for (;;) {
      const quote = piece.indexOf('"', at)
      const end = quote === -1 ? piece.length : quote
      let slashes = 0
      while (end - slashes > at && piece.charCodeAt(end - slashes - 1) === 92) slashes++
      if (quote === -1) {
        this.#escaped = slashes % 2 === 1
        return end
      }
      if (slashes % 2 === 0) {
        this.#inString = false
        return quote + 1
      }
      at = quote + 1
    }
  }

  #take(text: string) {
    if (this.#text.length + text.length > this.longest) {
      throw new DocumentProblem(
        'TOO_LARGE',
        `has an example of more than ${this.longest} letters: number ${this.#number + 1}`
      )
    }
    this.#text += text
  }

  #close() {
    const text = this.#text
    this.#text = ''
    return { number: ++this.#number, text }
  }

  #refuse(what: string): never {
    throw new DocumentProblem('DATASET_DAMAGED', what)
  }
}
