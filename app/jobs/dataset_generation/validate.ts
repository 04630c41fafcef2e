import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import { datasetSource } from '#services/datasets/dataset_source'
import { type Quality, qualityOf } from '#services/datasets/quality'
import { KEPT_ID, keptId } from '#services/documents/awaited_ids'
import { DocumentStore } from '#services/documents/document_store'
import type { Warning } from '#services/documents/parsed_document'

type Payload = {
  /** Id of a dataset, as the results of this family name it; `awaited` stands for that of an awaited job. */
  dataset?: string
  /** Instead: a JSON, JSONL or CSV file below `storage/uploads`. */
  file?: string
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

  static payload = vine.create({
    dataset: vine.string().regex(KEPT_ID).optional().requiredIfMissing('file'),
    file: vine.string().minLength(1).maxLength(1_000).optional(),
    text: vine.array(vine.string().maxLength(200)).minLength(1).maxLength(20).optional(),
    label: vine.string().maxLength(200).optional(),
  })

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { text, label, ...named } = this.payload
    const where =
      named.dataset === undefined
        ? named
        : { dataset: await keptId(this, named.dataset, 'dataset') }
    const source = await datasetSource(this.store, where)
    const known =
      where.dataset === undefined ? null : await this.store.kept('datasets', where.dataset)
    const { quality, reading } = await qualityOf(source, {
      known,
      text,
      label,
      signal: this.signal,
      tell: (stage, done, total) =>
        this.progress(total === null || total === 0 ? 0 : Math.min(95, (done / total) * 95), {
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
    const id = where.dataset ?? null
    return { dataset: id, name: source.name, ...quality, leftOut: reading.leftOut, warnings }
  }
}
