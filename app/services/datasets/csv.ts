import { DocumentProblem } from '#services/documents/document_problem'
import { type Example, exactDigits, parseJson } from './example.ts'
import type { Field } from './fields.ts'

/** A cell as it stands in the file: empty with and without quotes are two things. */
export type Cell = { text: string; quoted: boolean }

/** Numbers, and text that reads as one, stay as they are. */
const NUMERIC = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/

/**
 * What spreadsheets run when a cell begins with it (OWASP, "CSV Injection"), white space in front and full-width forms too.
 */
const FORMULA = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/

/** What had to be protected, or would be taken for it. */
const PROTECTED = /^'+(\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n])/

const QUOTED = /[",\r\n]|^\s|\s$/

/**
 * A text that no spreadsheet runs: with an apostrophe in front where it would. Text that looks as if it had one gets another,
 * so that `exposed` gives back what was there.
 */
export function harmless(text: string): string {
  const first = text.charCodeAt(0)
  /** Letters and digits, which most text begins with, are decided at once. */
  if ((first > 64 && first < 0xff00) || (first > 47 && first < 58)) {
    if (first !== 0x2028 && first !== 0x2029 && !/^\s/.test(text)) return text
  }
  if (NUMERIC.test(text)) return text
  return FORMULA.test(text) || PROTECTED.test(text) ? `'${text}` : text
}

/** Undoes `harmless`. */
export function exposed(text: string): string {
  return text.charCodeAt(0) === 39 && PROTECTED.test(text) ? text.slice(1) : text
}

/** The line of field names, without its line break. */
export function headerRow(fields: Field[]): string {
  return fields.map(({ name }) => textCell(name)).join(',')
}

/** The line of one example, without its line break. */
export function exampleRow(fields: Field[], example: Example): string {
  let row = ''
  for (const [index, { name, type }] of fields.entries()) {
    if (index > 0) row += ','
    if (!Object.hasOwn(example, name)) continue
    const value = example[name]
    if (type === 'json') row += quotedWhereNeeded(JSON.stringify(value))
    else if (typeof value === 'string') row += textCell(value)
    else if (value !== null) row += exactDigits(value) ?? String(value)
  }
  return row
}

/**
 * The example of a record.
 *
 * @throws DocumentProblem DATASET_DAMAGED when its cells do not fit the fields
 */
export function exampleOf(fields: Field[], cells: Cell[]): Example {
  if (cells.length !== fields.length) {
    throw new DocumentProblem(
      'DATASET_DAMAGED',
      `has ${cells.length} cells where there are ${fields.length} fields`
    )
  }
  const entries: [string, unknown][] = []
  for (const [index, field] of fields.entries()) {
    const { text, quoted } = cells[index]
    if (text === '' && !quoted) {
      if (field.empty === 'null') entries.push([field.name, null])
      continue
    }
    entries.push([field.name, field.type === 'text' ? exposed(text) : parsedCell(field, text)])
  }
  /** Not by assignment: a field may be called `__proto__`. */
  return Object.fromEntries(entries)
}

function parsedCell(field: Field, text: string): unknown {
  try {
    const parsed = parseJson(text)
    if (field.type === 'json') return parsed
    if (field.type === 'boolean' && typeof parsed === 'boolean') return parsed
    const number = typeof parsed === 'number' || exactDigits(parsed) !== null
    if (field.type === 'number' && number) return parsed
  } catch {
    /** Told below, with the cell. */
  }
  throw new DocumentProblem(
    'DATASET_DAMAGED',
    `has "${text.slice(0, 60)}" in "${field.name}" where a ${field.type} should be`
  )
}

function textCell(text: string): string {
  return text === '' ? '""' : quotedWhereNeeded(harmless(text))
}

function quotedWhereNeeded(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
