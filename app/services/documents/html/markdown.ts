import type { Steps } from '../breather.ts'
import { fencedText, longestRun, proseOnly } from '../markdown_text.ts'
import { lowered, raised } from '../raised.ts'
import { withoutReferences } from './entities.ts'
import { Inline } from './inline.ts'
import { Table } from './table.ts'
import { htmlTokens, type Token } from './tokens.ts'

/** Parts of the text that are looked at, and pieces of Markdown that are joined, in one step. */
const STEP = 1_000

/** So many letters take as long as a part of the text does. */
const LETTERS = 16

/** Longer paragraphs and cells are written in parts, in UTF-16 units. */
const LONGEST = 16_384

/** What is no content of a document. */
const LEFT_OUT =
  'script style template noscript svg math iframe object nav select textarea button dialog'.split(
    ' '
  )

/** Such hold no markup: one that nobody closes goes to the end. */
const WITHOUT_MARKUP = new Set(['script', 'style', 'textarea', 'iframe'])

const BLOCKS = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header hr html main p section summary'.split(
    ' '
  )
)

const HEADING = /^h[1-6]$/

/** Lists inside of lists, and tables inside of tables, that are told apart. */
const DEEPEST = 8

/**
 * An HTML text as Markdown: headings, paragraphs, lists, tables and code; what stands around them is left out. A document
 * without a heading of the first level has its title as one. What should be left out and ends nowhere is read: nothing of the
 * document would be left.
 */
export function* htmlAsMarkdownSteps(html: string): Steps<string> {
  const writer = new Writer()
  let read = 0
  for (let from: number | null = 0; from !== null;) {
    for (const token of htmlTokens(html, from)) {
      writer.take(token)
      if (writer.hasTable) yield* writer.table()
      read += token.kind === 'text' ? 1 + token.text.length / LETTERS : 1
      if (read < STEP) continue
      yield
      read = 0
    }
    from = writer.unclosed()
  }
  writer.close()
  yield* writer.table()
  const all: string[] = []
  for (let at = 0; at < writer.pieces.length; at += STEP) {
    all.push(writer.pieces.slice(at, at + STEP).join(''))
    yield
  }
  return writer.title() + all.join('')
}

class Writer {
  /** What was written, and what parts it. */
  pieces: string[] = []
  /** What the last piece was. */
  #last: 'nothing' | 'item' | 'other' = 'nothing'
  #inline = new Inline()
  /** What the paragraph that is open is, once its beginning was written. */
  #begun: 'heading' | 'item' | 'prose' | null = null
  #heading = 0
  #title: string | null = null
  #hasFirstHeading = false
  /** `number`: of the last item. */
  #lists: { ordered: boolean; number: number }[] = []
  /** How many elements of raised and of lowered text are open. */
  #raised = 0
  #lowered = 0
  /** What stands in front of the next text of a list item. */
  #marker = ''
  /** Code of several lines: the most backticks that stand side by side in it, those at its end, elements of code that are open. */
  #code: { text: string; ticks: number; last: number; depth: number } | null = null
  #tables: Table[] = []
  #tablesTooDeep = 0
  /** The table that has ended. */
  #ended: Table | null = null
  #leftOut = new Set(LEFT_OUT)
  /** The element that is left out, where its content begins, and how many of its name are open in it. */
  #skipped: { name: string; from: number; depth: number } | null = null
  #inTitle = false

  take(token: Token): void {
    if (this.#skipped !== null) this.#skip(token, this.#skipped)
    else if (token.kind === 'text') this.#text(token.text)
    else if (token.kind === 'open') this.#open(token)
    else this.#close(token.name)
  }

  get hasTable(): boolean {
    return this.#ended !== null
  }

  /** Writes the table that has ended, if one has; comes where others may want a turn. */
  *table(): Steps<void> {
    if (this.#ended === null) return
    for (const piece of this.#ended.markdown()) {
      if (piece === undefined) yield
      else this.#push(piece.text, piece.between)
    }
    this.#ended = null
  }

  /** Where to read on when the text has ended inside of what is left out; that is read then. */
  unclosed(): number | null {
    const skipped = this.#skipped
    if (skipped === null || WITHOUT_MARKUP.has(skipped.name)) return null
    this.#leftOut.delete(skipped.name)
    this.#skipped = null
    return skipped.from
  }

  close(): void {
    if (this.#code !== null) {
      this.#code.depth = 1
      this.#close('pre')
    }
    this.#tablesTooDeep = 0
    while (this.#tables.length > 0) this.#endTable()
    if (this.#ended === null) this.#flush()
  }

  /** The document's title as a heading, where it needs one. */
  title(): string {
    if (this.#hasFirstHeading || this.#title === null) return ''
    return `# ${this.#title}${this.pieces.length > 0 ? '\n\n' : ''}`
  }

  #skip(token: Token, skipped: { name: string; depth: number }): void {
    if (token.kind === 'text' || token.name !== skipped.name) return
    skipped.depth += token.kind === 'open' ? 1 : -1
    if (skipped.depth === 0) this.#skipped = null
  }

  #text(raw: string): void {
    /** Places where a word may be parted show only when a browser parts it there. */
    const text = withoutReferences(raw).replaceAll('\u00ad', '')
    if (this.#code !== null) this.#addCode(text)
    else {
      const flowing = text.replace(/\s+/g, ' ')
      const words =
        this.#raised > 0
          ? raised(flowing)
          : this.#lowered > 0
            ? lowered(flowing, this.#inline.last)
            : flowing
      if (this.#inTitle) this.#title ??= words.trim() || null
      else this.#inline.add(words)
      if (this.#inline.length > LONGEST) this.#write(true)
    }
  }

  #addCode(text: string): void {
    const code = this.#code!
    let [first, last] = [0, 0]
    while (text[first] === '`') first++
    while (last < text.length && text[text.length - 1 - last] === '`') last++
    code.ticks = Math.max(code.ticks, longestRun(text), code.last + first)
    code.last = first === text.length ? code.last + first : last
    code.text += code.text === '' && text.startsWith('\n') ? text.slice(1) : text
  }

  #open({ name, attributes, end }: Token & { kind: 'open' }): void {
    if (this.#leftOut.has(name)) {
      this.#skipped = { name, from: end, depth: 1 }
      return
    }
    switch (name) {
      case 'title':
        this.#inTitle = true
        return
      case 'br':
        if (this.#code !== null) this.#addCode('\n')
        else this.#inline.add('\n')
        return
      case 'img':
        return this.#text(
          /\balt\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes)?.slice(1).join('') ?? ''
        )
      case 'pre':
        if (this.#code !== null) this.#code.depth++
        else {
          this.#flush()
          this.#code = { text: '', ticks: 0, last: 0, depth: 1 }
        }
        return
      case 'code':
      case 'kbd':
      case 'samp':
        if (this.#code === null) this.#inline.openCode()
        return
      case 'ul':
      case 'ol':
        this.#flush()
        this.#lists.push({
          ordered: name === 'ol',
          number: (numberOf('start', attributes) ?? 1) - 1,
        })
        return
      case 'li':
        return this.#item(numberOf('value', attributes))
      case 'sup':
        this.#raised++
        return
      case 'sub':
        this.#lowered++
        return
      case 'table':
        this.#flush()
        if (this.#tables.length === DEEPEST) {
          this.#tablesTooDeep++
          return
        }
        this.#tables.push(new Table(this.#tables.length > 0 ? this.#inline.take() : ''))
        return
      case 'tr':
      case 'td':
      case 'th':
        return this.#cell(name, attributes)
    }
    if (HEADING.test(name)) {
      this.#flush()
      this.#heading = Number(name[1])
    } else if (BLOCKS.has(name)) this.#flush()
  }

  #close(name: string): void {
    switch (name) {
      case 'title':
        this.#inTitle = false
        return
      case 'pre':
        return this.#endCode()
      case 'code':
      case 'kbd':
      case 'samp':
        this.#inline.closeCode()
        return
      case 'sup':
        this.#raised = Math.max(0, this.#raised - 1)
        return
      case 'sub':
        this.#lowered = Math.max(0, this.#lowered - 1)
        return
      case 'ul':
      case 'ol':
        this.#flush()
        this.#lists.pop()
        this.#marker = ''
        return
      case 'table':
        return this.#endTable()
      case 'td':
      case 'th':
        return this.#cell('')
    }
    if (BLOCKS.has(name) || name === 'li' || HEADING.test(name)) this.#flush()
  }

  #item(number: number | null): void {
    this.#flush()
    const list = this.#lists.at(-1)
    if (list !== undefined && number !== null) list.number = number - 1
    const depth = Math.min(DEEPEST, Math.max(0, this.#lists.length - 1))
    const sign = list?.ordered === true ? `${++list.number}.` : '-'
    this.#marker = `${'  '.repeat(depth)}${sign} `
  }

  #cell(name: string, attributes = ''): void {
    const table = this.#tables.at(-1)
    if (table === undefined) return this.#flush()
    table.add(this.#inline.take())
    if (name === 'tr') table.row()
    else if (name !== '') {
      table.cell(numberOf('colspan', attributes) ?? 1, numberOf('rowspan', attributes) ?? 1)
    }
  }

  #endTable(): void {
    if (this.#tablesTooDeep > 0) {
      this.#tablesTooDeep--
      return
    }
    const table = this.#tables.pop()
    if (table === undefined) return
    table.add(this.#inline.take())
    const outer = this.#tables.at(-1)
    /** A table inside of a cell is text of that cell. */
    if (outer === undefined) this.#ended = table
    else {
      outer.add(table.before)
      outer.add(table.text())
    }
  }

  /** Code in code is part of it. */
  #endCode(): void {
    if (this.#code === null || --this.#code.depth > 0) return
    const { text, ticks } = this.#code
    this.#code = null
    const code = text.trimEnd()
    if (code !== '') this.#push(fencedText(code, ticks), '\n\n')
  }

  /** Ends the paragraph, heading or item that is open. */
  #flush(): void {
    if (this.#tables.length > 0) this.#inline.add(' ')
    else this.#write(false)
    this.#begun = null
    this.#heading = 0
  }

  /** @param more whether what comes belongs to the same line */
  #write(more: boolean): void {
    const taken = this.#inline.take(more)
    const table = this.#tables.at(-1)
    if (table !== undefined) return table.add(taken, more)
    if (taken === '') return
    const begun = this.#begun
    const kind = begun ?? (this.#heading > 0 ? 'heading' : this.#marker === '' ? 'prose' : 'item')
    this.#begun = kind
    const words = kind === 'prose' ? taken : taken.replaceAll('\n', ' ')
    if (begun !== null) this.#push(words, '')
    else if (kind === 'heading') {
      this.#hasFirstHeading ||= this.#heading === 1
      /** Hashes at the end would be taken for its frame. */
      const title = words.replace(/(^|\s)(#+)$/, '$1\\$2')
      this.#push(`${'#'.repeat(this.#heading)} ${title}`, '\n\n')
    } else if (kind === 'item') {
      const between = this.#last === 'item' ? '\n' : '\n\n'
      this.#push(`${this.#marker}${proseOnly(words)}`, between)
      this.#last = 'item'
      this.#marker = ''
    } else this.#push(proseOnly(words), '\n\n')
  }

  #push(text: string, between: string): void {
    if (this.pieces.length > 0 && between !== '') this.pieces.push(between)
    this.pieces.push(text)
    if (between !== '') this.#last = 'other'
  }
}

function numberOf(name: string, attributes: string): number | null {
  if (attributes === '') return null
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*["']?\\s*(\\d{1,5})`, 'i').exec(attributes)
  return found === null ? null : Number(found[1])
}
