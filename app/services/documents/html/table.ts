import { proseOnly, tableOf } from '../markdown_text.ts'

/** A longer cell is no cell of a table that a person reads: the table only arranges the page. */
const LONGEST_CELL = 600
const MOST_COLUMNS = 30

/**
 * The rows of a table while it is read.
 */
export class Table {
  #rows: string[][] = []

  /** @param before text that was open when the table began */
  constructor(readonly before: string) {}

  row(): void {
    this.#rows.push([])
  }

  cell(): void {
    if (this.#rows.length === 0) this.row()
    this.#rows.at(-1)!.push('')
  }

  /** Text of the cell that is open; what stands outside of cells is not lost. */
  add(text: string): void {
    const words = text.replace(/\s+/g, ' ').trim()
    if (words === '') return
    if ((this.#rows.at(-1)?.length ?? 0) === 0) this.cell()
    const row = this.#rows.at(-1)!
    row[row.length - 1] = `${row.at(-1)} ${words}`.trim()
  }

  text(): string {
    return this.#rows.flat().join(' ')
  }

  /** The table, or paragraphs where it only arranges the page. */
  markdown(): string[] {
    const rows = this.#rows.filter((row) => row.some((cell) => cell !== ''))
    const columns = rows.reduce((most, row) => Math.max(most, row.length), 0)
    const arranges =
      columns < 2 ||
      columns > MOST_COLUMNS ||
      rows.some((row) => row.some((cell) => cell.length > LONGEST_CELL))
    if (arranges) {
      const words = rows.flat().filter((cell) => cell !== '')
      return words.map(proseOnly)
    }
    const full = rows.map((row) => [...row, ...Array<string>(columns - row.length).fill('')])
    return full.length === 0 ? [] : [tableOf(full)]
  }
}
