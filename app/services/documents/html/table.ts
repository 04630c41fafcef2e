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
  /** Null: covered by a cell beside or above. */
  #rows: (string | null)[][] = []
  /** The column of the cell that is open. */
  #open = 0
  /** In how many of the rows that follow each column is covered. */
  #covered: number[] = []
  /** Whether the cell that is open ends in the middle of a line. */
  #goesOn = false

  /** @param before text that was open when the table began */
  constructor(readonly before: string) {}

  row(): void {
    const ended = this.#rows.at(-1)?.length ?? 0
    for (let column = ended; column < this.#covered.length; column++) this.#isCovered(column)
    this.#rows.push([])
  }

  /** @param columns, rows over how many the cell goes */
  cell(columns = 1, rows = 1): void {
    if (this.#rows.length === 0) this.row()
    const row = this.#rows.at(-1)!
    while (row.length < MOST_COLUMNS && this.#isCovered(row.length)) row.push(null)
    this.#open = row.length
    const end = Math.max(this.#open + 1, Math.min(this.#open + columns, MOST_COLUMNS))
    for (let column = this.#open; column < end; column++) {
      row.push(column === this.#open ? '' : null)
      if (rows > 1 && column < MOST_COLUMNS) this.#covered[column] = rows - 1
    }
  }

  /** Whether a cell above covers the column in this row; asked once a row. */
  #isCovered(column: number): boolean {
    if (!((this.#covered[column] ?? 0) > 0)) return false
    this.#covered[column]--
    return true
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
    const before = row[this.#open] ?? ''
    row[this.#open] = glued || before === '' ? before + words : `${before} ${words}`
  }

  text(): string {
    return this.#rows
      .flat()
      .filter((cell) => cell !== null)
      .join(' ')
  }

  /** The table, or paragraphs where it only arranges the page; each piece with what parts it from the one before. */
  *markdown(): Generator<{ between: string; text: string } | undefined> {
    const used = new Set<number>()
    let [cells, longest, rows] = [0, 0, 0]
    for (const [number, row] of this.#rows.entries()) {
      if (number % STEP === 0) yield
      if (!row.some(Boolean)) continue
      rows++
      let own = 0
      for (const [column, cell] of row.entries()) {
        if (cell === null) continue
        own++
        used.add(column)
        longest = Math.max(longest, cell.length)
      }
      cells = Math.max(cells, own)
    }
    if (rows === 0) return
    const arranges = cells < 2 || used.size > MOST_COLUMNS || longest > LONGEST_CELL
    const columns = [...used].sort((one, other) => one - other)
    let first = true
    for (const [number, row] of this.#rows.entries()) {
      if (number % STEP === 0) yield
      if (!row.some(Boolean)) continue
      if (arranges) {
        for (const cell of row) if (cell) yield { between: '\n\n', text: proseOf(cell) }
        continue
      }
      const full = columns.map((column) => row[column] ?? '')
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
