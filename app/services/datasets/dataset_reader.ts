import { createReadStream } from 'node:fs'
import { DocumentProblem } from '#services/documents/document_problem'
import { CsvRecords } from './csv_records.ts'
import { type Cell, exampleOf, exposed } from './csv.ts'
import { type Example, isExample, parseJson } from './example.ts'
import type { Field } from './fields.ts'
import { JsonElements } from './json_elements.ts'

export type DatasetFormat = 'json' | 'jsonl' | 'csv'

export const FORMATS: DatasetFormat[] = ['json', 'jsonl', 'csv']

/** Levels of an example; deeper ones could be read, but not written. */
const DEEPEST = 500

/** Longest example, in UTF-16 units. */
const LONGEST = 4_000_000

/**
 * One example, or why it cannot be read. `place` says where it stands: `line 3`, `example 2`.
 */
export type Read = { place: string; example: Example } | { place: string; problem: DocumentProblem }

/**
 * Reads the examples of a file one after another; what is in memory at a time does not grow with the file.
 *
 * @param fields  of CSV files: what their columns hold. Without them every cell is text, an empty one absent.
 * @throws DocumentProblem TEXT_ENCODING, TOO_LARGE, DATASET_DAMAGED where the whole file cannot be read on
 */
export async function* readExamples(
  path: string,
  format: DatasetFormat,
  fields?: Field[]
): AsyncGenerator<Read> {
  if (format === 'csv') yield* readCsv(path, fields)
  else if (format === 'json') yield* readJson(path)
  else yield* readLines(path)
}

async function* readJson(path: string): AsyncGenerator<Read> {
  const elements = new JsonElements(LONGEST)
  for await (const piece of pieces(path)) {
    for (const { number, text } of elements.push(piece)) yield parsed(`example ${number}`, text)
  }
  elements.end()
}

async function* readLines(path: string): AsyncGenerator<Read> {
  let rest = ''
  let line = 0
  for await (const piece of pieces(path)) {
    /** Lines end with CRLF, LF or CR, which may stand at the end of a piece; inside of JSON no such sign stands by itself. */
    const all = rest + piece
    const lines = (all.includes('\r') ? all.replace(/\r\n|\r(?!$)/g, '\n') : all).split('\n')
    rest = lines.pop()!
    if (rest.length > LONGEST) {
      throw new DocumentProblem('TOO_LARGE', `has more than ${LONGEST} letters in line ${line + 1}`)
    }
    for (const text of lines) {
      line++
      if (text.trim() !== '') yield parsed(`line ${line}`, text)
    }
  }
  if (rest.trim() !== '') yield parsed(`line ${line + 1}`, rest)
}

async function* readCsv(path: string, known?: Field[]): AsyncGenerator<Read> {
  const records = new CsvRecords(LONGEST)
  let fields: Field[] | undefined
  const read = (line: number, cells: Cell[]): Read | null => {
    if (fields === undefined) {
      fields = fieldsOfHeader(cells, known)
      return null
    }
    const blank = cells.length === 1 && fields.length > 1 && cells[0].text === ''
    return blank ? null : record(fields, line, cells)
  }
  for await (const piece of pieces(path)) {
    for (const { line, cells } of records.push(piece)) {
      const one = read(line, cells)
      if (one !== null) yield one
    }
  }
  for (const { line, cells } of records.end()) {
    const one = read(line, cells)
    if (one !== null) yield one
  }
}

function fieldsOfHeader(cells: Cell[], known?: Field[]): Field[] {
  const names = cells.map(({ text }) => exposed(text))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new DocumentProblem('DATASET_DAMAGED', `names the field "${twice}" twice`)
  }
  const fields = names.map((name): Field => ({ name, type: 'text', empty: 'absent' }))
  if (known === undefined) return fields
  if (known.length !== names.length || known.some(({ name }, index) => name !== names[index])) {
    throw new DocumentProblem('DATASET_DAMAGED', 'has other fields than its dataset')
  }
  return known
}

function record(fields: Field[], line: number, cells: Cell[]): Read {
  const place = `line ${line}`
  try {
    return { place, example: exampleOf(fields, cells) }
  } catch (problem) {
    if (problem instanceof DocumentProblem) return { place, problem }
    throw problem
  }
}

function parsed(place: string, text: string): Read {
  try {
    const value = parseJson(text)
    if (isExample(value)) {
      if (text.length < 2 * DEEPEST || !isDeeper(value, DEEPEST)) return { place, example: value }
      const problem = new DocumentProblem('TOO_LARGE', `is nested over ${DEEPEST} levels deep`)
      return { place, problem }
    }
  } catch {
    return { place, problem: new DocumentProblem('DATASET_DAMAGED', 'is no JSON') }
  }
  return {
    place,
    problem: new DocumentProblem('DATASET_DAMAGED', 'is no example: an object is expected'),
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1))
}

async function* pieces(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const bytes of createReadStream(path, { highWaterMark: 65_536 })) {
      yield decoder.decode(bytes as Uint8Array, { stream: true })
    }
    yield decoder.decode()
  } catch (cause) {
    const { code } = cause as { code?: string }
    if (code === 'ENOENT') {
      throw new DocumentProblem('NOT_FOUND', 'is not there any more', { cause })
    }
    if (code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw cause
    throw new DocumentProblem('TEXT_ENCODING', 'is not UTF-8: save it as UTF-8', { cause })
  }
}
