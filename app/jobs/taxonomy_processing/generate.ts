import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import type { Taxonomy } from '#services/documents/artifacts'
import { keptIds } from '#services/documents/awaited_ids'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'
import { eachItem } from '#services/documents/each_item'
import type { Warning } from '#services/documents/parsed_document'
import { Turns } from '#services/documents/turns'
import { fallbackWarning, wantedProvider, warner } from '#services/provider/configured_provider'
import type { ProviderSettings, ProviderUsage } from '#services/provider/provider_settings'
import { sizesOf } from '#services/taxonomy/analysis'
import { CorpusReader } from '#services/taxonomy/corpus'
import { namedByProvider } from '#services/taxonomy/provider_names'
import { taxonomyOf, type Stage } from '#services/taxonomy/taxonomy_tree'
import { keptIdField } from '#validators/kept_id'
import { payloadOf } from '#validators/payload'

type Payload = {
  /** Ids of chunk sets, as the result of `document_processing.chunk` names them (`chunked`); `awaited` stands for those of awaited jobs. */
  sets: string[]
  /** Levels of categories, at most; 3 where it is left out. */
  depth?: number
  /** Categories below one and at the top, at most; 10 where it is left out. */
  breadth?: number
  /** Chunks in a category with its descendants, at least; 3 where it is left out. */
  fewest?: number
  /** Whether a configured provider names the categories; `false` where it is left out. */
  provider?: boolean
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
  /** What the provider was asked, and its cost; null where it was not. */
  provider: ProviderUsage | null
  warnings: Warning[]
}

const DEFAULTS = { depth: 3, breadth: 10, fewest: 3 }

/** Share of the whole work, in percent: where each stage begins and ends. */
const STAGES: Record<Stage, [from: number, to: number]> = {
  'Counting terms': [30, 50],
  'Finding categories': [50, 96],
  'Keeping the taxonomy': [96, 97],
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

  static payload = payloadOf({
    sets: vine.array(keptIdField()).minLength(1).maxLength(10_000).distinct(),
    depth: vine.number({ strict: true }).withoutDecimals().min(1).max(6).optional(),
    breadth: vine.number({ strict: true }).withoutDecimals().min(2).max(30).optional(),
    fewest: vine.number({ strict: true }).withoutDecimals().min(2).max(1_000).optional(),
    provider: vine.boolean({ strict: true }).optional(),
  })

  constructor(
    private store: DocumentStore = new DocumentStore(),
    private settings?: ProviderSettings | null
  ) {
    super()
  }

  async execute(): Promise<Result> {
    const { sets: named, provider: asked = false, ...options } = this.payload
    const ids = await keptIds(this, named, 'chunked')
    const turns = new Turns(this.signal)
    const reader = new CorpusReader(turns)
    const { warnings } = await eachItem(ids, {
      signal: this.signal,
      name: (id) => id,
      warn: ({ source, code, message }) => this.log.warn('%s: %s (%s)', source, message, code),
      work: async (id, done) => {
        const counts = { done, total: ids.length, unit: 'sets' }
        await this.progress((done / ids.length) * 30, { stage: 'Reading chunks', ...counts })
        await reader.add(id, await this.store.kept('chunks', id))
      },
    })
    const made = await taxonomyOf(
      reader,
      { ...DEFAULTS, ...options },
      turns,
      async (stage, done, total) => {
        const [from, to] = STAGES[stage]
        const unit = stage === 'Counting terms' ? 'sets' : 'chunks'
        await this.progress(from + ((to - from) * done) / total, { stage, done, total, unit })
      }
    )
    if (made.categories.length === 0) {
      throw new DocumentProblem(
        'NO_TOPICS',
        `has no topic that ${options.fewest ?? DEFAULTS.fewest} chunks share: give it more chunks, or lower "fewest"`
      )
    }
    const { taxonomy, usage } = asked
      ? await this.#named(made, warnings)
      : { taxonomy: made, usage: null }
    const id = await this.store.keep('taxonomies', taxonomy)
    const sizes = sizesOf(taxonomy.categories)
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
        chunks: sizes.get(category.id)!,
        confidence: category.confidence,
      })),
      provider: usage,
      warnings,
    }
  }

  /** With the names that a provider gives, where one is configured. */
  async #named(
    made: Taxonomy,
    warnings: Warning[]
  ): Promise<{ taxonomy: Taxonomy; usage: ProviderUsage | null }> {
    const warn = warner(this, warnings)
    const client = await wantedProvider(this.settings, warn)
    if (client === null) return { taxonomy: made, usage: null }
    const { taxonomy, provider } = await namedByProvider(made, client, this.signal, (done, total) =>
      this.progress(97 + (2 * done) / total, {
        stage: 'Naming categories',
        done,
        total,
        unit: 'categories',
      })
    )
    const warning = fallbackWarning(provider, 'categories were named offline')
    if (warning !== null) warn(warning)
    return { taxonomy, usage: client.usage }
  }
}
