/** What a line stands in: a quotation, or an item whose text is indented by so many columns. */
type Container = 'quotation' | number

/** Deeper ones were written to do harm. */
const DEEPEST = 32

/** A line that begins as a rule for so long is one. */
const LONGEST_RULE = 1_000
const RULE = /^([-*_])[ \t]*(?:\1[ \t]*){2,}$/
const ITEM = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/

/** What may begin a quotation or an item, and what may go on with an item. */
const SIGN = /[->+*\d \t]/

/**
 * The quotations and items of lists that lines stand in, one line after the other (CommonMark, "Container blocks"). A line that
 * is not indented as its item is ends it, even where it would go on with a paragraph.
 */
export class Containers {
  #open: Container[] = []

  /**
   * Goes on to a line.
   *
   * @param inText whether it may go on with a paragraph: a number other than 1 begins no list there
   * @returns the line inside of them, its indentation as spaces
   */
  enter(line: string, inText: boolean): string {
    if (!SIGN.test(line[0] ?? '') && (line !== '' || this.#open.length === 0)) {
      this.#open = []
      return line
    }
    const rest = new Rest(line)
    const inList = this.#open.some((one) => one !== 'quotation')
    this.#open.length = this.#known(rest)
    while (this.#open.length < DEEPEST && rest.indent < 4) {
      const opened = beginningOf(rest, inText && !inList)
      if (opened === null) break
      this.#open.push(opened)
    }
    return rest.text
  }

  /** The line inside of those that are open; null where it is outside of one. */
  inside(line: string): string | null {
    const rest = new Rest(line)
    return this.#known(rest) === this.#open.length ? rest.text : null
  }

  /** How many of those that are open a line goes on with, from the outside on. */
  #known(rest: Rest): number {
    for (const [index, container] of this.#open.entries()) {
      const goesOn = container === 'quotation' ? rest.takeQuotation() : rest.takeIndent(container)
      if (!goesOn) return index
    }
    return this.#open.length
  }
}

function beginningOf(rest: Rest, inText: boolean): Container | null {
  if (rest.takeQuotation()) return 'quotation'
  const words = rest.words
  const mark = ITEM.exec(words)
  if (mark === null || RULE.test(words.slice(0, LONGEST_RULE))) return null
  if (inText && mark[1] !== undefined && Number(mark[1]) !== 1) return null
  const indent = rest.indent + mark[0].length
  rest.take(mark[0].length)
  const room = rest.words === '' || rest.indent > 4 ? 1 : rest.indent
  rest.takeIndent(room)
  return indent + room
}

/** What is left of a line; tabs reach to the next column that is a multiple of four. */
class Rest {
  #at = 0
  /** Column of the line where what is left begins: inside of a tab perhaps. */
  #column = 0
  /** Columns of white space in front of the next word. */
  indent = 0

  constructor(private line: string) {
    this.#measure()
  }

  get words(): string {
    return this.line.slice(this.#at)
  }

  get text(): string {
    return ' '.repeat(this.indent) + this.words
  }

  /** Takes the white space in front of the next word, and so many letters of it. */
  take(letters: number): void {
    this.#column += this.indent + letters
    this.#at += letters
    this.#measure()
  }

  takeIndent(columns: number): boolean {
    if (this.words !== '' && this.indent < columns) return false
    const taken = Math.min(columns, this.indent)
    this.indent -= taken
    this.#column += taken
    return true
  }

  takeQuotation(): boolean {
    if (this.indent > 3 || this.line[this.#at] !== '>') return false
    this.take(1)
    if (this.indent > 0) this.takeIndent(1)
    return true
  }

  #measure(): void {
    this.indent = 0
    for (; this.line[this.#at] === ' ' || this.line[this.#at] === '\t'; this.#at++) {
      const column = this.#column + this.indent
      this.indent += this.line[this.#at] === '\t' ? 4 - (column % 4) : 1
    }
  }
}
