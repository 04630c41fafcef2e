/**
 * Lines of code as Markdown, whatever stands in them.
 */
export function fenced(lines: string[]): string {
  const text = lines.join('\n')
  let longest = 2
  for (const [run] of text.matchAll(/`{3,}/g)) longest = Math.max(longest, run.length)
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}\n${fence}`
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
