import { withoutReferences } from './html/entities.ts'

/**
 * Lines of code as Markdown, whatever stands in them.
 */
export function fenced(lines: string[]): string {
  const text = lines.join('\n')
  return fencedText(text, longestRun(text))
}

/**
 * @param ticks backticks that stand side by side in the code, at most
 */
export function fencedText(code: string, ticks: number): string {
  const fence = '`'.repeat(Math.max(2, ticks) + 1)
  return `${fence}\n${code}\n${fence}`
}

/**
 * Code within a line, whatever stands in it; spaces around it stay outside. Nothing where it is empty.
 */
export function codeSpan(code: string): string {
  const text = code.trim()
  const before = /^\s/.test(code) ? ' ' : ''
  if (text === '') return before
  const after = /\s$/.test(code) ? ' ' : ''
  const fence = '`'.repeat(longestRun(text) + 1)
  /** A space on both sides is none of the code (CommonMark, "Code spans"). */
  const room = text.startsWith('`') || text.endsWith('`') ? ' ' : ''
  return `${before}${fence}${room}${text}${room}${fence}${after}`
}

/** Of backticks that stand side by side. */
export function longestRun(text: string): number {
  let longest = 0
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length)
  return longest
}

/** What may stand in a text that Markdown would take for a mark. */
const SIGNS = /[\\`*_~[<&]/
const EACH_SIGN = /[\\`*_~[<&]/g

/** What makes a mark of a sign, at its place. */
const ESCAPE = /\\[!-/:-@[-`{-~]/y
const LINK = /\[[^[\]\n]{0,300}\](?:\(|\[|:)/y
const TAG = /<[a-z/!?][^<>\n]{0,1000}>/iy
const REFERENCE = /&(?:#\d{1,8}|#x[0-9a-f]{1,8}|[a-z][a-z0-9]{1,30});/iy

/**
 * Words as Markdown that says these words and nothing else: what would be emphasis, code, a link, HTML or a reference gets a backslash
 * in front. Signs that are no marks where they stand stay as they are: `2 * 3`, `*.ts`, `snake_case`.
 *
 * @param spans how many spans of code stand in the same line: a single backtick would pair with theirs
 */
export function literal(text: string, spans = 0): string {
  if (!SIGNS.test(text)) return text
  const marks = new Set<number>()
  for (const sign of EMPHASIS) {
    if (text.includes(sign)) for (const at of emphasisIn(text, sign)) marks.add(at)
  }
  const ticks = text.includes('`') ? [...text.matchAll(/`+/g)].length + spans : 0
  return text.replace(EACH_SIGN, (sign, at: number) => {
    const is = (mark: RegExp) => {
      mark.lastIndex = at
      return mark.exec(text)?.[0]
    }
    let marked: boolean
    if (sign === '`') marked = ticks > 1
    else if (sign === '\\') marked = is(ESCAPE) !== undefined
    else if (sign === '[') marked = is(LINK) !== undefined
    else if (sign === '<') marked = is(TAG) !== undefined
    else if (sign === '&') {
      const reference = is(REFERENCE)
      marked = reference !== undefined && withoutReferences(reference) !== reference
    } else marked = marks.has(at)
    return marked ? `\\${sign}` : sign
  })
}

const EMPHASIS = ['*', '_', '~']

/**
 * Places of signs that begin or end emphasis, where one ends behind one that begins (CommonMark, "Emphasis and strong emphasis").
 */
function emphasisIn(text: string, sign: string): number[] {
  const places: number[] = []
  let [begun, pairs] = [false, false]
  for (let at = text.indexOf(sign); at !== -1;) {
    let end = at
    while (text[end] === sign) end++
    const [before, behind] = [kindOf(text[at - 1]), kindOf(text[end])]
    const left = behind !== 'space' && (behind !== 'sign' || before !== 'letter')
    const right = before !== 'space' && (before !== 'sign' || behind !== 'letter')
    const inside = sign === '_' && left && right
    const opens = left && (!inside || before === 'sign')
    const closes = right && (!inside || behind === 'sign')
    if (closes && begun) pairs = true
    if (opens) begun = true
    if (opens || closes) for (let place = at; place < end; place++) places.push(place)
    at = text.indexOf(sign, end)
  }
  return pairs ? places : []
}

function kindOf(letter: string | undefined): 'space' | 'sign' | 'letter' {
  if (letter === undefined || /\s/.test(letter)) return 'space'
  return /[\p{P}\p{S}]/u.test(letter) ? 'sign' : 'letter'
}

/**
 * Rows of cells as a Markdown table; the first row is its head.
 */
export function tableOf(rows: string[][]): string {
  return [tableHead(rows[0]), ...rows.slice(1).map(tableRow)].join('\n')
}

export function tableHead(cells: string[]): string {
  return `${tableRow(cells)}\n${tableRow(cells.map(() => '---'))}`
}

export function tableRow(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/**
 * A paragraph whose beginning Markdown would take for a heading or for the beginning of code.
 */
export function plain(text: string): string {
  return text.replace(/^(#{1,6} |```|~~~)/gm, '\\$1')
}

/**
 * Words in whose lines nothing is a heading, list, quotation, rule or the beginning of code, whatever they begin with.
 */
export function proseOnly(text: string): string {
  if (!/^[#\-+*>`~=_\d]/m.test(text)) return text
  return text
    .replace(/^(#{1,6}(?=\s|$)|[-+*](?=\s|$)|>|```|~~~|(?:=+|--+|__+_|\*\*+\*)\s*$)/gm, '\\$1')
    .replace(/^(\d{1,9})([.)])(?=\s|$)/gm, '$1\\$2')
}
