import { proseOnly, tableHead, tableRow } from '../markdown_text.ts'

/** A longer cell is no cell of a table that a person reads: the table only arranges the page. */
const LONGEST_CELL = 600
const MOST_COLUMNS = 30

/** Rows that are looked at in one step. */
const STEP = 500

/**
 * The rows of a table while it is read.
 */
export class Table {
  #rows: string[][] = []
  /** Whether the cell that is open ends in the middle of a line. */
  #goesOn = false

  /** @param before text that was open when the table began */
  constructor(readonly before: string) {}

  row(): void {
    this.#rows.push([])
  }

  cell(): void {
    if (this.#rows.length === 0) this.row()
    this.#rows.at(-1)!.push('')
  }

  /**
   * Text of the cell that is open; what stands outside of cells is not lost.
   *
   * @param more whether the next text belongs to the same line
   */
  add(text: string, more = false): void {
    const words = text.replaceAll('\n', ' ')
    const glued = this.#goesOn
    this.#goesOn = more
    if (words === '') return
    if ((this.#rows.at(-1)?.length ?? 0) === 0) this.cell()
    const row = this.#rows.at(-1)!
    const before = row.at(-1)!
    row[row.length - 1] = glued || before === '' ? before + words : `${before} ${words}`
  }

  text(): string {
    return this.#rows.flat().join(' ')
  }

  /** The table, or paragraphs where it only arranges the page; each piece with what parts it from the one before. */
  *markdown(): Generator<{ between: string; text: string } | undefined> {
    let [columns, longest, rows] = [0, 0, 0]
    for (const [number, row] of this.#rows.entries()) {
      if (number % STEP === 0) yield
      const filled = row.some((cell) => cell !== '')
      if (!filled) continue
      rows++
      columns = Math.max(columns, row.length)
      for (const cell of row) longest = Math.max(longest, cell.length)
    }
    if (rows === 0) return
    const arranges = columns < 2 || columns > MOST_COLUMNS || longest > LONGEST_CELL
    let first = true
    for (const [number, row] of this.#rows.entries()) {
      if (number % STEP === 0) yield
      if (row.every((cell) => cell === '')) continue
      if (arranges) {
        for (const cell of row) if (cell !== '') yield { between: '\n\n', text: proseOf(cell) }
        continue
      }
      const full = [...row, ...Array<string>(columns - row.length).fill('')]
      yield first
        ? { between: '\n\n', text: tableHead(full) }
        : { between: '\n', text: tableRow(full) }
      first = false
    }
  }
}

/** A cell is one line: only its beginning may be taken for a mark. */
function proseOf(cell: string): string {
  return proseOnly(cell.slice(0, LONGEST_CELL)) + cell.slice(LONGEST_CELL)
}
