/**
 * Lines of code as Markdown, whatever stands in them.
 */
export function fenced(lines: string[]): string {
  const text = lines.join('\n')
  const fence = '`'.repeat(Math.max(2, longestRun(text)) + 1)
  return `${fence}\n${text}\n${fence}`
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
function longestRun(text: string): number {
  let longest = 0
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length)
  return longest
}

/**
 * Rows of cells as a Markdown table; the first row is its head.
 */
export function tableOf(rows: string[][]): string {
  const row = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [row(rows[0]), row(rows[0].map(() => '---')), ...rows.slice(1).map(row)].join('\n')
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
  return text
    .replace(/^(#{1,6}(?=\s|$)|[-+*](?=\s|$)|>|```|~~~|(?:=+|--+|__+_|\*\*+\*)\s*$)/gm, '\\$1')
    .replace(/^(\d{1,9})([.)])(?=\s|$)/gm, '$1\\$2')
}
