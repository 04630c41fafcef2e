import type { Steps } from '../breather.ts'
import { withoutReferences } from './entities.ts'
import { htmlTokens, type Token } from './tokens.ts'
import { Table } from './table.ts'
import { codeSpan, fenced, proseOnly } from '../markdown_text.ts'

/** Parts of the text that are looked at in one step. */
const STEP = 2_000

/** What is no content of a document. */
const LEFT_OUT = new Set(
  'script style template noscript svg math iframe object nav select textarea button dialog'.split(
    ' '
  )
)

const BLOCKS = new Set(
  'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header hr html main p section summary'.split(
    ' '
  )
)

/** Lists inside of lists, and tables inside of tables, that are told apart. */
const DEEPEST = 8

/**
 * An HTML text as Markdown: headings, paragraphs, lists, tables and code; what stands around them is left out. A document
 * without a heading of the first level has its title as one.
 */
export function* htmlAsMarkdownSteps(html: string): Steps<string> {
  const writer = new Writer()
  let read = 0
  for (const token of htmlTokens(html)) {
    writer.take(token)
    if (++read % STEP === 0) yield
  }
  return writer.end()
}

class Writer {
  #parts: { text: string; item: boolean }[] = []
  #inline = ''
  /** What stands in code within a line, and how many elements of code are open around it. */
  #span = { text: '', depth: 0 }
  #heading = 0
  #title: string | null = null
  #hasFirstHeading = false
  #lists: { ordered: boolean; number: number }[] = []
  /** What stands in front of the next text of a list item. */
  #marker = ''
  #code: string | null = null
  #tables: Table[] = []
  #tablesTooDeep = 0
  /** The element that is left out, and how many of its name are open in it. */
  #skipped: { name: string; depth: number } | null = null
  #inTitle = false

  take(token: Token): void {
    if (this.#skipped !== null) this.#skip(token, this.#skipped)
    else if (token.kind === 'text') this.#text(token.text)
    else if (token.kind === 'open') this.#open(token.name, token.attributes)
    else this.#close(token.name)
  }

  end(): string {
    if (this.#code !== null) this.#close('pre')
    this.#tablesTooDeep = 0
    while (this.#tables.length > 0) this.#close('table')
    this.#flush()
    const all: string[] = []
    if (!this.#hasFirstHeading && this.#title !== null) all.push(`# ${this.#title}`)
    for (const [index, { text, item }] of this.#parts.entries()) {
      const follows = item && this.#parts[index - 1]?.item === true
      if (all.length > 0) all.push(follows ? '\n' : '\n\n')
      all.push(text)
    }
    return all.join('')
  }

  #skip(token: Token, skipped: { name: string; depth: number }): void {
    if (token.kind === 'text' || token.name !== skipped.name) return
    skipped.depth += token.kind === 'open' ? 1 : -1
    if (skipped.depth === 0) this.#skipped = null
  }

  #text(raw: string): void {
    const text = withoutReferences(raw)
    if (this.#inTitle) this.#title ??= text.replace(/\s+/g, ' ').trim() || null
    else if (this.#code !== null) this.#code += text
    else if (this.#span.depth > 0) this.#span.text += text.replace(/\s+/g, ' ')
    else this.#inline += text.replace(/\s+/g, ' ')
  }

  #open(name: string, attributes: string): void {
    if (LEFT_OUT.has(name)) {
      this.#skipped = { name, depth: 1 }
      return
    }
    switch (name) {
      case 'title':
        this.#inTitle = true
        return
      case 'br':
        if (this.#code !== null) this.#code += '\n'
        else if (this.#span.depth > 0) this.#span.text += ' '
        else this.#inline += '\n'
        return
      case 'img':
        return this.#text(
          /\balt\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes)?.slice(1).join('') ?? ''
        )
      case 'pre':
        this.#flush()
        this.#code = ''
        return
      case 'code':
      case 'kbd':
      case 'samp':
        if (this.#code === null) this.#span.depth++
        return
      case 'ul':
      case 'ol':
        this.#flush()
        this.#lists.push({ ordered: name === 'ol', number: 0 })
        return
      case 'li':
        return this.#item()
      case 'table':
        this.#flush()
        if (this.#tables.length === DEEPEST) {
          this.#tablesTooDeep++
          return
        }
        this.#tables.push(new Table(this.#inline))
        return
      case 'tr':
      case 'td':
      case 'th':
        return this.#cell(name)
    }
    if (/^h[1-6]$/.test(name)) {
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
        if (this.#code !== null)
          this.#push(fenced(this.#code.replace(/^\n|\s+$/g, '').split('\n')), false)
        this.#code = null
        return
      case 'code':
      case 'kbd':
      case 'samp':
        if (this.#span.depth === 1) this.#endSpan()
        else if (this.#span.depth > 1) this.#span.depth--
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
    if (BLOCKS.has(name) || name === 'li' || /^h[1-6]$/.test(name)) this.#flush()
  }

  #item(): void {
    this.#flush()
    const list = this.#lists.at(-1)
    const depth = Math.min(DEEPEST, Math.max(0, this.#lists.length - 1))
    const sign = list?.ordered === true ? `${++list.number}.` : '-'
    this.#marker = `${'  '.repeat(depth)}${sign} `
  }

  #cell(name: string): void {
    const table = this.#tables.at(-1)
    if (table === undefined) return this.#flush()
    this.#endSpan()
    table.add(this.#inline)
    this.#inline = ''
    if (name === 'tr') table.row()
    else if (name !== '') table.cell()
  }

  #endTable(): void {
    if (this.#tablesTooDeep > 0) {
      this.#tablesTooDeep--
      return
    }
    const table = this.#tables.pop()
    if (table === undefined) return
    this.#endSpan()
    table.add(this.#inline)
    this.#inline = ''
    /** A table inside of a cell is text of that cell. */
    if (this.#tables.length > 0) this.#inline = `${table.before} ${table.text()}`
    else for (const part of table.markdown()) this.#push(part, false)
  }

  /** Ends the paragraph, heading or item that is open. */
  #flush(): void {
    this.#endSpan()
    const heading = this.#heading
    this.#heading = 0
    if (this.#tables.length > 0) {
      this.#inline += ' '
      return
    }
    const text = this.#inline
      .split('\n')
      .map((line) => line.replace(/ {2,}/g, ' ').trim())
      .join('\n')
      .trim()
    this.#inline = ''
    if (text === '') return
    if (heading > 0) {
      this.#hasFirstHeading ||= heading === 1
      this.#push(`${'#'.repeat(heading)} ${text.replaceAll('\n', ' ')}`, false)
    } else if (this.#marker !== '') {
      this.#push(`${this.#marker}${proseOnly(text.replaceAll('\n', ' '))}`, true)
      this.#marker = ''
    } else this.#push(proseOnly(text), false)
  }

  /** Code within a line ends with its paragraph, cell or heading at the latest. */
  #endSpan(): void {
    this.#inline += codeSpan(this.#span.text)
    this.#span = { text: '', depth: 0 }
  }

  #push(text: string, item: boolean): void {
    if (text !== '') this.#parts.push({ text, item })
  }
}
