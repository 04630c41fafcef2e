import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DocumentProblem } from '#services/documents/document_problem'
import type { DocumentStore } from '#services/documents/document_store'

const TYPES = {
  json: 'application/json; charset=utf-8',
  jsonl: 'application/jsonl; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
}

/** A file that may be sent: `name` is what it is saved as. */
export type Download = { path: string; name: string; type: string; bytes: number }

/**
 * A file of a dataset, or its manifest. Only names that the manifest lists lead to a file.
 *
 * @throws DocumentProblem NOT_FOUND
 */
export async function datasetDownload(
  store: DocumentStore,
  id: string,
  name: string
): Promise<Download> {
  const dataset = await store.kept('datasets', id)
  const file = dataset.files.find((one) => one.name === name)
  if (file === undefined && name !== 'manifest.json') {
    throw new DocumentProblem('NOT_FOUND', 'the dataset has no such file')
  }
  const path =
    file === undefined
      ? store.artifact('datasets', id)
      : join(store.datasetFiles, `${file.sha256}.${file.format}`)
  try {
    const { size: bytes } = await stat(path)
    /** A dataset may be called whatever a file that was brought was called. */
    const saved = `${dataset.name}-${name}`.replace(/[^\w.-]+/g, '_').slice(-120)
    return { path, name: saved, type: TYPES[file?.format ?? 'json'], bytes }
  } catch (cause) {
    throw new DocumentProblem('NOT_FOUND', 'the file is not there any more', { cause })
  }
}
