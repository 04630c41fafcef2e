import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'
import { eachItem } from '#services/documents/each_item'
import type { Warning } from '#services/documents/parsed_document'
import { Turns } from '#services/documents/turns'
import { taxonomyOf, type Stage } from '#services/taxonomy/taxonomy_tree'

type Payload = {
  /** Ids of chunk sets, as the result of `document_processing.chunk` names them (`chunked`). */
  sets: string[]
  /** Levels of categories, at most; 3 where it is left out. */
  depth?: number
  /** Categories below one and at the top, at most; 10 where it is left out. */
  breadth?: number
  /** Chunks in a category with its descendants, at least; 3 where it is left out. */
  fewest?: number
}

type Result = {
  /** Id of the taxonomy: what jobs of extraction take. */
  taxonomy: string
  chunks: number
  placed: number
  categories: {
    id: string
    name: string
    depth: number
    /** With its descendants. */
    chunks: number
    confidence: number
  }[]
  warnings: Warning[]
}

const DEFAULTS = { depth: 3, breadth: 10, fewest: 3 }

/** Share of the whole work, in percent: where each stage begins and ends. */
const STAGES: Record<Stage, [from: number, to: number]> = {
  'Reading chunks': [5, 50],
  'Finding categories': [50, 97],
  'Keeping the taxonomy': [97, 99],
}

/**
 * Makes a hierarchy of categories from chunks.
 */
export default class Generate extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'taxonomy_processing.generate',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = vine.create({
    sets: vine
      .array(vine.string().regex(/^[0-9a-f]{64}$/))
      .minLength(1)
      .maxLength(10_000)
      .distinct(),
    depth: vine.number({ strict: true }).withoutDecimals().min(1).max(6).optional(),
    breadth: vine.number({ strict: true }).withoutDecimals().min(2).max(30).optional(),
    fewest: vine.number({ strict: true }).withoutDecimals().min(2).max(1_000).optional(),
  })

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const { sets: ids, ...options } = this.payload
    const { outputs: sets, warnings } = await eachItem(ids, {
      signal: this.signal,
      name: (id) => id,
      warn: ({ source, code, message }) => this.log.warn('%s: %s (%s)', source, message, code),
      work: async (id, done) => {
        const counts = { done, total: ids.length, unit: 'sets' }
        await this.progress((done / ids.length) * 5, { stage: 'Loading chunks', ...counts })
        return { id, set: await this.store.kept('chunks', id) }
      },
    })
    const taxonomy = await taxonomyOf(
      sets,
      { ...DEFAULTS, ...options },
      new Turns(this.signal),
      async (stage, done, total) => {
        const [from, to] = STAGES[stage]
        const unit = stage === 'Reading chunks' ? 'sets' : 'chunks'
        await this.progress(from + ((to - from) * done) / total, { stage, done, total, unit })
      }
    )
    if (taxonomy.categories.length === 0) {
      throw new DocumentProblem(
        'NO_TOPICS',
        `has no topic that ${options.fewest ?? DEFAULTS.fewest} chunks share: give it more chunks, or lower "fewest"`
      )
    }
    const id = await this.store.keep('taxonomies', taxonomy)
    const placed = taxonomy.categories.reduce((sum, { chunks }) => sum + chunks.length, 0)
    const chunks = placed + taxonomy.unplaced.length
    await this.progress(100, {
      stage: 'Taxonomy kept',
      done: placed,
      total: chunks,
      unit: 'chunks',
    })
    return {
      taxonomy: id,
      chunks,
      placed,
      categories: taxonomy.categories.map((category) => ({
        id: category.id,
        name: category.name,
        depth: category.depth,
        chunks: taxonomy.categories
          .filter(({ id: other }) => other === category.id || other.startsWith(`${category.id}/`))
          .reduce((sum, other) => sum + other.chunks.length, 0),
        confidence: category.confidence,
      })),
      warnings,
    }
  }
}
