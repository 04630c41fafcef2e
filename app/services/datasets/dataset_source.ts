import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { Dataset } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'
import type { DocumentStore } from '#services/documents/document_store'
import type { Turns } from '#services/documents/turns'
import { type DatasetFormat, FORMATS, readExamples } from './dataset_reader.ts'
import type { Example } from './example.ts'
import { type Field, FieldSurvey } from './fields.ts'

/** A part of a dataset that can be read again and again. */
export type SourceFile = {
  split: string
  format: DatasetFormat
  path: string
  /** What is known of a CSV file's columns. */
  fields?: Field[]
}

/** A dataset that was made here, or a file that a person brought. */
export type DatasetSource = {
  name: string
  kind: Dataset['kind']
  from: Dataset['from']
  files: SourceFile[]
}

/**
 * Where the examples of a kept dataset or of an uploaded file are.
 *
 * @throws DocumentProblem NOT_FOUND, UNKNOWN_FORMAT
 */
export async function datasetSource(
  store: DocumentStore,
  { dataset, file }: { dataset?: string; file?: string }
): Promise<DatasetSource> {
  if (dataset !== undefined) {
    const { name, kind, files, fields } = await store.kept('datasets', dataset)
    return {
      name,
      kind,
      from: { dataset },
      files: files.map(({ split, format, sha256 }) => ({
        split,
        format,
        path: join(store.datasetFiles, `${sha256}.${format}`),
        fields,
      })),
    }
  }
  const path = store.locate(file!)
  const format = FORMATS.find((one) => `.${one}` === extname(path).toLowerCase())
  if (format === undefined) {
    throw new DocumentProblem(
      'UNKNOWN_FORMAT',
      `"${file}" is none of the formats that can be read: ${FORMATS.join(', ')}`
    )
  }
  const found = await stat(path).catch(() => null)
  if (found === null || !found.isFile()) {
    throw new DocumentProblem('NOT_FOUND', `"${file}" is no file that can be read`)
  }
  return {
    name: basename(path, extname(path)).replace(/^[0-9a-f]{16}-/, ''),
    kind: 'other',
    from: { file: file! },
    files: [{ split: 'data', format, path }],
  }
}

/** Warnings of one dataset that are told one by one; more are counted. */
const MOST_WARNINGS = 20

/**
 * Reads the files of a dataset, leaving out what cannot be read and counting it.
 */
export class DatasetReading {
  read = 0
  leftOut = 0
  problems: { place: string; problem: DocumentProblem }[] = []

  constructor(private files: SourceFile[]) {}

  /**
   * @throws DocumentProblem where nothing can be read
   */
  async *examples(): AsyncGenerator<{ file: SourceFile; place: string; example: Example }> {
    for (const file of this.files) {
      for await (const one of this.of(file)) yield { file, ...one }
    }
    this.refuseNothing()
  }

  /** Those of one file. Damage in its middle ends it, with a problem told. */
  async *of(file: SourceFile): AsyncGenerator<{ place: string; example: Example }> {
    try {
      for await (const one of readExamples(file.path, file.format, file.fields)) {
        if ('problem' in one) {
          this.#leaveOut(file, one)
          continue
        }
        this.read++
        yield one
      }
    } catch (problem) {
      if (!(problem instanceof DocumentProblem)) throw problem
      const before = this.read + this.leftOut
      this.#leaveOut(file, { place: before === 0 ? 'the file' : 'the rest', problem })
    }
  }

  /**
   * @throws DocumentProblem the first problem, when there is one and no example could be read
   */
  refuseNothing(): void {
    const [first] = this.problems
    if (this.read > 0 || first === undefined) return
    throw new DocumentProblem(first.problem.code, `${first.place} ${first.problem.message}`)
  }

  #leaveOut(file: SourceFile, { place, problem }: { place: string; problem: DocumentProblem }) {
    this.leftOut++
    if (this.problems.length < MOST_WARNINGS) {
      const inside = this.files.length > 1 ? `${place} of ${file.split}` : place
      this.problems.push({ place: inside, problem })
    }
  }
}

/**
 * The fields of all examples. In a CSV file that was brought every cell is text: a postcode is no number.
 */
export async function survey(
  files: SourceFile[],
  turns: Turns
): Promise<{ fields: Field[]; examples: number }> {
  const fields = new FieldSurvey()
  const reading = new DatasetReading(files)
  for await (const { example } of reading.examples()) {
    fields.add(example)
    if (turns.due()) await turns.give()
  }
  return { fields: fields.fields(), examples: reading.read }
}
