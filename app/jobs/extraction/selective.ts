import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import type { Extract, Taxonomy } from '#services/documents/artifacts'
import { keptId } from '#services/documents/awaited_ids'
import { DocumentStore } from '#services/documents/document_store'
import { eachItem } from '#services/documents/each_item'
import type { Warning } from '#services/documents/parsed_document'
import { Turns } from '#services/documents/turns'
import { extractFrom, wantedCategories } from '#services/extraction/extraction'
import type { Classifier } from '#services/extraction/classifier'
import { LetterClassifier } from '#services/extraction/letter_classifier'
import { type ContextMode, passagesOf, vocabularyOf } from '#services/extraction/passages'
import { ProviderClassifier } from '#services/extraction/provider_classifier'
import { TermClassifier } from '#services/extraction/term_classifier'
import { fallbackWarning, wantedProvider, warner } from '#services/provider/configured_provider'
import { sizesOf } from '#services/taxonomy/analysis'
import type { ProviderSettings, ProviderUsage } from '#services/provider/provider_settings'
import { keptIdField } from '#validators/kept_id'
import { payloadOf } from '#validators/payload'

type Payload = {
  /** Id of a taxonomy, as the result of `taxonomy_processing.generate` names it; `awaited` stands for that of an awaited job. */
  taxonomy: string
  /** Ids of its categories; each takes in all below it. All of them where it is left out. */
  categories?: string[]
  /** Instead of naming them: so many of the categories at the top, those with the most chunks. */
  largest?: number
  /** Ids of chunk sets; those that the taxonomy was made from where it is left out. */
  sets?: string[]
  /** What the classifiers see: the chunk alone, its neighbours too (default), or the whole document as one. */
  context?: ContextMode
  /** `entities` also finds what each text names. Default `text`. */
  mode?: 'text' | 'entities'
  /** Confidence below which nothing is taken, 0 to 1; 0.5 where it is left out. */
  threshold?: number
  /** Which of the classifiers a configured provider is; none where it is left out. */
  provider?: 'primary' | 'validation'
}

type Result = {
  /** Id of the extraction: what `dataset_generation.create` takes. */
  extraction: string
  extracts: number
  /** About a wanted category, but below the threshold; in `disagreed` of them the classifiers saw different branches. */
  rejected: number
  disagreed: number
  /** About other categories or none. */
  elsewhere: number
  classifiers: { primary: string; validation: string }
  /** What the provider was asked, and its cost; null where it was not. */
  provider: ProviderUsage | null
  categories: { id: string; name: string; extracts: number; confidence: number }[]
  /** The surest extract of each category, shortened. */
  preview: Pick<Extract, 'category' | 'source' | 'start' | 'end' | 'text' | 'confidence'>[]
  warnings: Warning[]
}

const PREVIEWS = 20
const PREVIEW_LENGTH = 300

/**
 * Takes out of documents what is about chosen categories.
 */
export default class Selective extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'extraction.selective',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = payloadOf(
    {
      taxonomy: keptIdField(),
      categories: vine
        .array(vine.string().minLength(1).maxLength(1_000))
        .minLength(1)
        .maxLength(1_000)
        .optional(),
      largest: vine.number({ strict: true }).withoutDecimals().min(1).max(1_000).optional(),
      sets: vine
        .array(vine.string().regex(/^[0-9a-f]{64}$/))
        .minLength(1)
        .maxLength(10_000)
        .distinct()
        .optional(),
      context: vine.enum(['chunk', 'neighbours', 'document'] as const).optional(),
      mode: vine.enum(['text', 'entities'] as const).optional(),
      threshold: vine.number({ strict: true }).min(0).max(1).optional(),
      provider: vine.enum(['primary', 'validation'] as const).optional(),
    },
    ({ categories, largest }: Payload) => [
      categories !== undefined &&
        largest !== undefined && {
          field: 'largest',
          message: 'The categories are named: leave out either them or "largest"',
        },
    ]
  )

  constructor(
    private store: DocumentStore = new DocumentStore(),
    private settings?: ProviderSettings | null
  ) {
    super()
  }

  async execute(): Promise<Result> {
    const { context = 'neighbours', mode = 'text', threshold = 0.5 } = this.payload
    const id = await keptId(this, this.payload.taxonomy, 'taxonomy')
    const taxonomy = await this.store.kept('taxonomies', id)
    const { categories } = taxonomy
    const wanted = wantedCategories(taxonomy, this.#named(taxonomy))
    const turns = new Turns(this.signal)
    const { passages, wholes, warnings } = await this.#read(taxonomy, turns)
    const asked = context === 'document' ? wholes : passages

    await this.#tell(
      'Learning the categories',
      50,
      categories.length,
      categories.length,
      'categories'
    )
    const seen = { neighbours: context === 'neighbours' }
    const terms = await TermClassifier.learn(categories, passages, seen, turns)
    const letters = await LetterClassifier.learn(categories, passages, seen, turns)
    const warn = warner(this, warnings)
    const provider =
      this.payload.provider === undefined ? null : await wantedProvider(this.settings, warn)
    const asking = (role: 'primary' | 'validation', instead: Classifier) =>
      provider !== null && this.payload.provider === role
        ? new ProviderClassifier(categories, provider, instead)
        : instead
    const primary = asking('primary', terms)
    const validation = asking('validation', letters)
    const found = await extractFrom(
      asked,
      categories,
      { primary, validation },
      { wanted, mode, threshold, signal: this.signal },
      turns,
      (done) => {
        const percent = 55 + (44 * done) / asked.length
        const { inputTokens = 0, outputTokens = 0 } = provider?.usage ?? {}
        const tokens = inputTokens + outputTokens
        const unit = tokens === 0 ? 'passages' : `passages, ${tokens} tokens`
        return this.#tell('Classifying', percent, done, asked.length, unit)
      }
    )
    for (const one of [primary, validation]) {
      if (!(one instanceof ProviderClassifier)) continue
      const warning = fallbackWarning(one, 'passages were classified offline')
      if (warning !== null) warn(warning)
    }
    const extraction = await this.store.keep('extractions', {
      taxonomy: id,
      categories: [...wanted].map((number) => categories[number].id),
      mode,
      threshold,
      extracts: found.extracts,
      rejected: found.rejected,
    })
    await this.#tell('Extraction kept', 100, asked.length, asked.length, 'passages')
    const { extracts, rejected, disagreed, elsewhere } = found
    this.log.info('%d of %d passages taken', extracts.length, asked.length)
    return {
      extraction,
      extracts: extracts.length,
      rejected,
      disagreed,
      elsewhere,
      classifiers: { primary: primary.name, validation: validation.name },
      provider: provider?.usage ?? null,
      ...summaryOf(extracts, taxonomy),
      warnings,
    }
  }

  /** Ids of the categories that are wanted; undefined where all are. */
  #named({ categories }: Taxonomy): string[] | undefined {
    const { categories: named, largest } = this.payload
    if (largest === undefined) return named
    if (named !== undefined) {
      throw new Error('Either "categories" or "largest" says which categories are wanted, not both')
    }
    const sizes = sizesOf(categories)
    return categories
      .filter(({ parent }) => parent === null)
      .sort((one, other) => sizes.get(other.id)! - sizes.get(one.id)!)
      .slice(0, largest)
      .map(({ id }) => id)
  }

  async #read({ sets: all, categories }: Taxonomy, turns: Turns) {
    const sets = this.payload.sets ?? all
    const vocabulary = vocabularyOf(
      categories.flatMap(({ terms }) => terms.map(({ term }) => term))
    )
    const { outputs, warnings } = await eachItem(sets, {
      signal: this.signal,
      name: (id) => id,
      warn: ({ source, code, message }) => this.log.warn('%s: %s (%s)', source, message, code),
      work: async (id, done) => {
        await this.#tell('Reading chunks', (done / sets.length) * 50, done, sets.length, 'sets')
        const set = await this.store.kept('chunks', id)
        return passagesOf(id, set, vocabulary, turns)
      },
    })
    return {
      passages: outputs.flatMap(({ passages }) => passages),
      wholes: outputs.flatMap(({ whole }) => whole ?? []),
      warnings,
    }
  }

  #tell(stage: string, percent: number, done: number, total: number, unit: string) {
    return this.progress(percent, { stage, done, total, unit })
  }
}

function summaryOf(extracts: Extract[], { categories }: Taxonomy) {
  const byCategory = new Map<string, Extract[]>()
  for (const extract of extracts) {
    const known = byCategory.get(extract.category)
    if (known === undefined) byCategory.set(extract.category, [extract])
    else known.push(extract)
  }
  const present = categories.flatMap(({ id, name }) => {
    const some = byCategory.get(id)
    return some === undefined ? [] : [{ id, name, some }]
  })
  return {
    categories: present.map(({ id, name, some }) => ({
      id,
      name,
      extracts: some.length,
      confidence:
        Math.round(some.reduce((sum, one) => sum + one.confidence, 0) * (1_000 / some.length)) /
        1_000,
    })),
    preview: present.slice(0, PREVIEWS).map(({ some }) => {
      const { category, source, start, end, text, confidence } = some.reduce((surest, one) =>
        one.confidence > surest.confidence ? one : surest
      )
      return { category, source, start, end, text: shortened(text), confidence }
    }),
  }
}

/** Cut at whole characters, with a mark. */
function shortened(text: string): string {
  if (text.length <= PREVIEW_LENGTH) return text
  const cut = text.slice(0, PREVIEW_LENGTH)
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`
}
