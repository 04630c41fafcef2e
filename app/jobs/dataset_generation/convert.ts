import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import { convertDataset } from '#services/datasets/convert'
import { FORMATS, type DatasetFormat } from '#services/datasets/dataset_reader'
import { downloadLinks, type Link } from '#services/datasets/download_links'
import type { Field } from '#services/datasets/fields'
import {
  datasetFields,
  type NamedDataset,
  namedDataset,
  namedTwice,
  toldOf,
  warningsOf,
} from '#services/datasets/named_dataset'
import type { DatasetFile } from '#services/documents/artifacts'
import { DocumentStore } from '#services/documents/document_store'
import type { Warning } from '#services/documents/parsed_document'
import { payloadOf } from '#validators/payload'

type Payload = NamedDataset & {
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

  static payload = payloadOf(
    {
      ...datasetFields(),
      format: vine.enum(FORMATS),
      spreadsheet: vine.boolean({ strict: true }).optional(),
    },
    namedTwice
  )

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { format, spreadsheet = true, ...named } = this.payload
    const { source, known } = await namedDataset(this, this.store, named)
    const { dataset, reading } = await convertDataset(source, {
      format,
      spreadsheet,
      folder: this.store.datasetFiles,
      known,
      signal: this.signal,
      tell: toldOf(this, 99),
    })
    const warnings = warningsOf(reading)
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
