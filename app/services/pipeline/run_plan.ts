import type { QueueManager } from '#queuedeck'
import Create from '#jobs/dataset_generation/create'
import Convert from '#jobs/dataset_generation/convert'
import ValidateDataset from '#jobs/dataset_generation/validate'
import Chunk from '#jobs/document_processing/chunk'
import Parse from '#jobs/document_processing/parse'
import Selective from '#jobs/extraction/selective'
import Analyse from '#jobs/taxonomy_processing/analyse'
import Generate from '#jobs/taxonomy_processing/generate'
import ValidateTaxonomy from '#jobs/taxonomy_processing/validate'
import type { CreatedKind } from '#services/datasets/create/examples'
import type { ChunkOptions } from '#services/documents/chunk_options'
import { followUpId } from '#services/documents/follow_up_id'
import { type RunIds } from './run_ids.ts'

export type RunOptions = {
  /** Paths, as `document_processing.parse` takes them. */
  documents: string[]
  /** How they are cut; with several the documents take turns. */
  chunk: [ChunkOptions, ...ChunkOptions[]]
  /** Levels of the taxonomy, at most. */
  depth: number
  /** Confidence below which nothing is extracted, 0 to 1. */
  threshold: number
  kinds: CreatedKind[]
}

type Dispatches = Parameters<QueueManager['dispatchMany']>[0]

/** Categories in which things are named too, the largest. */
const NAMED_CATEGORIES = 2

/**
 * The jobs of one run through all documents, as a flow: each document is read and cut, one taxonomy is made of all chunks, and of it
 * come its checks, the extraction and the datasets. A document that cannot be read is left out of the rest.
 */
export function runPlan(ids: RunIds, options: RunOptions, tags: string[] = []): Dispatches {
  const all = { tags: ['pipeline', ...tags] }
  const behind = (awaited: string) => ({ ...all, waitFor: awaited })
  const { documents, chunk, depth, threshold, kinds } = options
  const readings = documents.map((path, number) => {
    const jobId = ids.document(number)
    return { type: Parse, payload: { documents: [path] }, options: { ...all, jobId } }
  })
  const cuts = readings.map(({ options: { jobId } }, number) => ({
    type: Chunk,
    payload: { documents: ['awaited'], ...chunk[number % chunk.length] },
    options: {
      ...all,
      jobId: followUpId(jobId, 1),
      waitFor: { jobId, onFailure: 'skip' as const },
    },
  }))
  return [
    ...readings,
    ...cuts,
    {
      type: Generate,
      payload: { sets: ['awaited'], depth },
      options: {
        ...all,
        jobId: ids.run,
        waitFor: cuts.map(({ options: { jobId } }) => ({ jobId, onFailure: 'run' as const })),
      },
    },
    ...[
      { type: Analyse, jobId: ids.step('analyse') },
      { type: ValidateTaxonomy, jobId: ids.step('validate') },
    ].map(({ type, jobId }) => ({
      type,
      payload: { taxonomy: 'awaited' },
      options: { ...behind(ids.run), jobId },
    })),
    {
      type: Selective,
      payload: { taxonomy: 'awaited', threshold },
      options: { ...behind(ids.run), jobId: ids.step('extract') },
    },
    {
      type: Selective,
      payload: { taxonomy: 'awaited', threshold, largest: NAMED_CATEGORIES, mode: 'entities' },
      options: { ...behind(ids.run), jobId: ids.step('entities') },
    },
    ...kinds.flatMap((kind) => datasetPlan(ids, kind, behind)),
  ]
}

/** A dataset, its check, and the same in the other formats. */
function datasetPlan(
  ids: RunIds,
  kind: CreatedKind,
  behind: (awaited: string) => object
): Dispatches {
  const made = ids.dataset(kind, 'create')
  const dataset = 'awaited'
  return [
    {
      type: Create,
      payload: { extraction: 'awaited', kind },
      options: { ...behind(ids.step('extract')), jobId: made },
    },
    {
      type: ValidateDataset,
      payload: { dataset },
      options: { ...behind(made), jobId: ids.dataset(kind, 'check') },
    },
    ...(['csv', 'json'] as const).map((format) => ({
      type: Convert,
      payload: { dataset, format },
      options: { ...behind(made), jobId: ids.dataset(kind, format) },
    })),
  ]
}
