import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import {
  datasetFields,
  type NamedDataset,
  namedDataset,
  namedTwice,
  toldOf,
  warningsOf,
} from '#services/datasets/named_dataset'
import { type Quality, qualityOf } from '#services/datasets/quality'
import { DocumentStore } from '#services/documents/document_store'
import type { Warning } from '#services/documents/parsed_document'
import { payloadOf } from '#validators/payload'

type Payload = NamedDataset & {
  /** Fields of a file of one's own that hold its text and its label; else they are guessed by their names. */
  text?: string[]
  label?: string
}

type Result = Quality & {
  /** Id of the dataset; null of a file. */
  dataset: string | null
  name: string
  leftOut: number
  warnings: Warning[]
}

/**
 * Measures how good a dataset is. A bad one is a result, with its reasons, and no failure of the job.
 */
export default class Validate extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'dataset_generation.validate',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = payloadOf(
    {
      ...datasetFields(),
      text: vine.array(vine.string().maxLength(200)).minLength(1).maxLength(20).optional(),
      label: vine.string().maxLength(200).optional(),
    },
    namedTwice
  )

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { text, label, ...named } = this.payload
    const { id, source, known } = await namedDataset(this, this.store, named)
    const { quality, reading } = await qualityOf(source, {
      known,
      text,
      label,
      signal: this.signal,
      tell: toldOf(this, 95),
    })
    const warnings = warningsOf(reading)
    const { examples, verdict, findings } = quality
    for (const { severity, path, message } of findings) {
      if (severity !== 'note') this.log.warn('%s %s', path, message)
    }
    this.log.info('%s: %d examples, %s', source.name, examples, verdict)
    await this.progress(100, {
      stage: `Judged: ${verdict}`,
      done: examples,
      total: examples,
      unit: 'examples',
    })
    return { dataset: id, name: source.name, ...quality, leftOut: reading.leftOut, warnings }
  }
}
