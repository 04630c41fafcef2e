import type { Field } from '#services/datasets/fields'
import type { Chunk, ChunkOptions } from './chunks.ts'

/**
 * The chunks of one document.
 */
export type ChunkSet = ChunkOptions & { source: string; chunks: Chunk[] }

/**
 * Names a chunk: the set it belongs to, and its number there.
 */
export type ChunkRef = { set: string; index: number }

/**
 * A category of a taxonomy. `id` is the path of names as words joined by `-` and levels by `/`, unique within its taxonomy.
 */
export type Category = {
  id: string
  name: string
  /** `id` of the category above, null at the top. */
  parent: string | null
  /** 1 at the top. */
  depth: number
  /** What its chunks speak of more than others do, most telling first; weights from 0 to 1. */
  terms: { term: string; weight: number }[]
  /** Chunks that belong to it and to none of its descendants. */
  chunks: ChunkRef[]
  /** 0 to 1, by the formula that the generator documents. */
  confidence: number
}

/**
 * A hierarchy of categories over chunks, parents before their children.
 */
export type Taxonomy = {
  /** Ids of the chunk sets that it was made from. */
  sets: string[]
  /** Levels, at most. */
  depth: number
  categories: Category[]
  /** Chunks that fit into no category. */
  unplaced: ChunkRef[]
}

/**
 * One part of a text that was extracted for a category.
 */
export type Extract = {
  /** Stable for the same input. */
  id: string
  category: string
  chunk: ChunkRef
  /** Name of the document. */
  source: string
  /** `text` is the document's text from `start` to `end`, as the offsets of its chunk count. */
  start: number
  end: number
  text: string
  /** 0 to 1, by the formula that the extraction documents. */
  confidence: number
  /** Whether the validation classifier came to the same category. */
  agreed: boolean
  entities?: { kind: string; text: string; start: number; end: number }[]
}

/**
 * What an extraction found above its threshold.
 */
export type Extraction = {
  /** Id of the taxonomy. */
  taxonomy: string
  /** Ids of the categories asked for. */
  categories: string[]
  mode: 'text' | 'entities'
  threshold: number
  extracts: Extract[]
  /** Passages about these categories whose confidence was below the threshold. */
  rejected: number
}

/**
 * One file of a dataset, kept under the hash of its bytes.
 */
export type DatasetFile = {
  /** `<split>.<format>`, unique within the dataset. */
  name: string
  split: string
  format: 'json' | 'jsonl' | 'csv'
  examples: number
  bytes: number
  sha256: string
}

export type DatasetKind = 'classification' | 'question_answer' | 'instruction' | 'summary' | 'other'

/**
 * The manifest of a dataset: what it holds, made from what, with the digest of each file.
 */
export type Dataset = {
  name: string
  kind: DatasetKind
  /** The artifact or the upload that it was made from. */
  from: { extraction: string } | { dataset: string } | { file: string }
  /** What split the examples, where they were split here. */
  seed?: number
  fields: Field[]
  examples: number
  files: DatasetFile[]
}
