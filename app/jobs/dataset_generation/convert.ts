import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import { convertDataset } from '#services/datasets/convert'
import { FORMATS, type DatasetFormat } from '#services/datasets/dataset_reader'
import { datasetSource } from '#services/datasets/dataset_source'
import { downloadLinks, type Link } from '#services/datasets/download_links'
import type { Field } from '#services/datasets/fields'
import type { DatasetFile } from '#services/documents/artifacts'
import { KEPT_ID, keptId } from '#services/documents/awaited_ids'
import { DocumentStore } from '#services/documents/document_store'
import type { Warning } from '#services/documents/parsed_document'

type Payload = {
  /** Id of a dataset, as the results of this family name it; `awaited` stands for that of an awaited job. */
  dataset?: string
  /** Instead: a JSON, JSONL or CSV file below `storage/uploads`. */
  file?: string
  format: DatasetFormat
  /** Of CSV: whether it begins with a byte order mark, as spreadsheets want it. Default true. */
  spreadsheet?: boolean
}

type Result = {
  /** Id of the converted dataset. */
  dataset: string
  name: string
  examples: number
  fields: Field[]
  files: DatasetFile[]
  /** Where its files can be had. */
  links: Link[]
  /** Examples that could not be read; the first of them are told as warnings. */
  leftOut: number
  warnings: Warning[]
}

/**
 * Writes a dataset as JSON, JSONL or CSV. Converting back gives the same examples; CSV is safe to open in a spreadsheet.
 */
export default class Convert extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'dataset_generation.convert',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = vine.create({
    dataset: vine.string().regex(KEPT_ID).optional().requiredIfMissing('file'),
    file: vine.string().minLength(1).maxLength(1_000).optional(),
    format: vine.enum(FORMATS),
    spreadsheet: vine.boolean({ strict: true }).optional(),
  })

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { format, spreadsheet = true, ...named } = this.payload
    const where =
      named.dataset === undefined
        ? named
        : { dataset: await keptId(this, named.dataset, 'dataset') }
    const source = await datasetSource(this.store, where)
    const known =
      where.dataset === undefined ? null : await this.store.kept('datasets', where.dataset)
    const { dataset, reading } = await convertDataset(source, {
      format,
      spreadsheet,
      folder: this.store.datasetFiles,
      known,
      signal: this.signal,
      tell: (stage, done, total) =>
        this.progress(total === null || total === 0 ? 0 : Math.min(99, (done / total) * 99), {
          stage,
          done,
          ...(total === null ? undefined : { total }),
          unit: 'examples',
        }),
    })
    const warnings = reading.problems.map(({ place, problem }) => ({
      source: place,
      code: problem.code,
      message: problem.message,
    }))
    for (const { source: place, message, code } of warnings) {
      this.log.warn('%s: %s (%s)', place, message, code)
    }
    const id = await this.store.keep('datasets', dataset)
    const { examples, fields, files, name } = dataset
    await this.progress(100, {
      stage: 'Dataset kept',
      done: examples,
      total: examples,
      unit: 'examples',
    })
    return {
      dataset: id,
      name,
      examples,
      fields,
      files,
      leftOut: reading.leftOut,
      warnings,
      links: downloadLinks(id, files),
    }
  }
}
