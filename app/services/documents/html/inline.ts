import { codeSpan, literal } from '../markdown_text.ts'

/**
 * The words of one paragraph, heading, item or cell while it is read: words as they are, and code within the line.
 */
export class Inline {
  #parts: { code: boolean; text: string }[] = []
  /** How many elements of code are open around what comes next. */
  #code = 0
  #goesOn = false
  /** Of what was not taken yet, in UTF-16 units. */
  length = 0

  add(text: string): void {
    this.length += text.length
    const code = this.#code > 0
    const last = this.#parts.at(-1)
    if (last?.code === code) last.text += text
    else this.#parts.push({ code, text })
  }

  /** The last letter that was added. */
  get last(): string {
    return this.#parts.at(-1)?.text.slice(-1) ?? ''
  }

  openCode(): void {
    /** Two that stand side by side are two. */
    if (this.#code++ === 0) this.#parts.push({ code: true, text: '' })
  }

  closeCode(): void {
    if (this.#code > 0) this.#code--
  }

  /**
   * What was read, as Markdown: line breaks where they are forced, one space for other white space. Code that is open ends with it.
   *
   * @param more whether what comes belongs to the same line
   */
  take(more = false): string {
    if (this.length === 0 && !this.#goesOn) {
      this.#parts = []
      if (!more) this.#code = 0
      return ''
    }
    const spans = this.#parts.filter(({ code, text }) => code && text.trim() !== '').length
    const marked = this.#parts.map(({ code, text }) =>
      code ? codeSpan(text.replaceAll('\n', ' ')) : literal(text, spans)
    )
    let text = marked.join('')
    if (text.includes('  ')) text = text.replace(/ {2,}/g, ' ')
    if (text.includes('\n')) text = text.replace(/ ?\n ?/g, '\n')
    if (!this.#goesOn) text = text.trimStart()
    if (!more) text = text.trimEnd()
    const inCode = more && this.#code > 0
    this.#parts = inCode
      ? [
          { code: false, text: ' ' },
          { code: true, text: '' },
        ]
      : []
    if (!inCode) this.#code = 0
    this.#goesOn = more
    this.length = 0
    return text
  }
}
