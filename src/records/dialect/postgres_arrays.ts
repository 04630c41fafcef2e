import type { Column, ColumnType } from '../columns.ts'

/** PostgreSQL's words for the types of columns. */
export const TYPES: Record<ColumnType, string> = {
  seq: 'bigint',
  uuid: 'uuid',
  int: 'int',
  small: 'smallint',
  big: 'bigint',
  name: 'text',
  short: 'text',
  text: 'text',
  long: 'text',
}

/** Object id of PostgreSQL's type `text`. */
const TEXT = 25

/** Bytes in front of an array's values, and in front of each value. */
const HEAD = 20
const LENGTH = 4

/** Rows as a relation, of one array a column. */
export function unnest(columns: readonly Column[]): string {
  return `unnest(${columns.map(({ type }, index) => `$${index + 1}::${TYPES[type]}[]`).join(', ')})`
}

/**
 * One column of rows as a parameter: written here because the driver's own way is slower. Texts go as bytes, since payloads are full of
 * marks that a written array has to escape, and the server to read again.
 */
export function arrayOf(rows: unknown[][], index: number, type: ColumnType): string | Buffer {
  return TYPES[type] === 'text' ? bytesOf(rows, index) : literalOf(rows, index)
}

function literalOf(rows: unknown[][], index: number): string {
  let text = '{'
  for (const row of rows) {
    if (text.length > 1) text += ','
    text += literal(row[index])
  }
  return text + '}'
}

/** One value of an array, as PostgreSQL reads it. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value !== 'string') return String(value)
  return `"${/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`
}

/** Texts as PostgreSQL sends and receives arrays in its binary format: dimensions, whether nulls are among them, type, length, first index. */
function bytesOf(rows: unknown[][], index: number): Buffer {
  const texts = rows.map((row) => textOf(row[index]))
  const letters = texts.reduce(
    (sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)),
    0
  )
  const bytes = Buffer.allocUnsafe(HEAD + texts.length * LENGTH + letters)
  let at = 0
  for (const number of [1, 1, TEXT, texts.length, 1]) at = bytes.writeInt32BE(number, at)
  for (const text of texts) {
    const length = text === null ? -1 : bytes.write(text, at + LENGTH)
    at = bytes.writeInt32BE(length, at) + Math.max(0, length)
  }
  return bytes
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}
