import vine from '@vinejs/vine'
import type { Job } from '#queuedeck'
import type { Dataset } from '#services/documents/artifacts'
import { keptId } from '#services/documents/awaited_ids'
import type { DocumentStore } from '#services/documents/document_store'
import type { Warning } from '#services/documents/parsed_document'
import { type DatasetReading, type DatasetSource, datasetSource } from './dataset_source.ts'
import { keptIdField } from '#validators/kept_id'

/**
 * What jobs of this family work on.
 */
export type NamedDataset = {
  /** Id of a dataset, as the results of this family name it; `awaited` stands for that of an awaited job. */
  dataset?: string
  /** Instead: a JSON, JSONL or CSV file below `storage/uploads`. */
  file?: string
}

/** The fields of `NamedDataset`, for the schema of a payload. */
export function datasetFields() {
  return {
    dataset: keptIdField().optional().requiredIfMissing('file'),
    file: vine.string().minLength(1).maxLength(1_000).optional(),
  }
}

/** What is wrong with a payload that names both: one of them would be passed over. */
export function namedTwice({ dataset, file }: NamedDataset) {
  const message = 'The dataset is named: leave out either it or "file"'
  return [dataset !== undefined && file !== undefined && { field: 'file', message }]
}

/**
 * Finds what a payload names. `known` is the kept dataset; null of a file.
 *
 * @throws DocumentProblem NOT_FOUND, UNKNOWN_FORMAT, NOTHING_AWAITED
 */
export async function namedDataset(
  job: Job<any>,
  store: DocumentStore,
  named: NamedDataset
): Promise<{ id: string | null; source: DatasetSource; known: Dataset | null }> {
  const { dataset } = named
  const id = dataset === undefined ? null : await keptId(job, dataset, 'dataset')
  const source = await datasetSource(store, id === null ? named : { dataset: id })
  return { id, source, known: id === null ? null : await store.kept('datasets', id) }
}

/**
 * Tells how many examples a job has come to.
 *
 * @param most percent that they are of the whole work
 */
export function toldOf(job: Job<any>, most: number) {
  return (stage: string, done: number, total: number | null): Promise<void> =>
    job.progress(total === null || total === 0 ? 0 : Math.min(most, (done / total) * most), {
      stage,
      done,
      ...(total === null ? undefined : { total }),
      unit: 'examples',
    })
}

/** What could not be read, one by one. */
export function warningsOf({ problems }: DatasetReading): Warning[] {
  return problems.map(({ place, problem: { code, message } }) => ({ source: place, code, message }))
}
