import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatasetFile } from '#services/documents/artifacts'
import { exampleRow, headerRow } from './csv.ts'
import type { DatasetFormat } from './dataset_reader.ts'
import type { Example } from './example.ts'
import type { Field } from './fields.ts'

/** Written at once, in UTF-16 units. */
const PIECE = 65_536

export type WriterOptions = {
  split: string
  format: DatasetFormat
  /** Columns of CSV files, in order. */
  fields: Field[]
  /** Whether a CSV file begins with a byte order mark, without which spreadsheets take UTF-8 for something else. */
  spreadsheet: boolean
}

/**
 * Writes examples into one file as they come. The file is named after the hash of its bytes once it is complete.
 */
export class DatasetWriter {
  #hash = createHash('sha256')
  #buffer = ''
  #bytes = 0
  #examples = 0

  private constructor(
    private folder: string,
    private draft: string,
    private handle: FileHandle,
    private options: WriterOptions
  ) {
    const { format, fields, spreadsheet } = options
    if (format === 'csv') this.#buffer = `${spreadsheet ? '\uFEFF' : ''}${headerRow(fields)}\r\n`
    if (format === 'json') this.#buffer = '['
  }

  static async open(folder: string, options: WriterOptions): Promise<DatasetWriter> {
    await mkdir(folder, { recursive: true })
    const draft = join(folder, `draft.${randomBytes(6).toString('hex')}`)
    return new DatasetWriter(folder, draft, await open(draft, 'wx'), options)
  }

  /** Returns a promise only where the buffer is full: awaiting each example would cost more than writing it. */
  add(example: Example): Promise<void> | undefined {
    const { format, fields } = this.options
    if (format === 'csv') this.#buffer += `${exampleRow(fields, example)}\r\n`
    else if (format === 'jsonl') this.#buffer += `${JSON.stringify(example)}\n`
    else this.#buffer += `${this.#examples > 0 ? ',' : ''}\n${JSON.stringify(example)}`
    this.#examples++
    return this.#buffer.length >= PIECE ? this.#flush() : undefined
  }

  /** Completes the file. */
  async close(): Promise<DatasetFile> {
    const { format, split } = this.options
    if (format === 'json') this.#buffer += this.#examples > 0 ? '\n]\n' : ']\n'
    await this.#flush()
    await this.handle.close()
    const sha256 = this.#hash.digest('hex')
    await rename(this.draft, join(this.folder, `${sha256}.${format}`))
    return {
      name: `${split}.${format}`,
      split,
      format,
      examples: this.#examples,
      bytes: this.#bytes,
      sha256,
    }
  }

  /** Leaves nothing behind of a file that was not completed. */
  async discard(): Promise<void> {
    await this.handle.close().catch(() => {})
    await rm(this.draft, { force: true })
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#buffer)
    this.#buffer = ''
    this.#bytes += bytes.length
    this.#hash.update(bytes)
    await this.handle.writeFile(bytes)
  }
}
