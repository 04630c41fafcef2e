import vine from '@vinejs/vine'
import { Job, type JobOptions } from '#queuedeck'
import { createDataset } from '#services/datasets/create/create'
import {
  type CreatedKind,
  examplesOf,
  passageOf,
  questionExamples,
} from '#services/datasets/create/examples'
import { ProviderQuestions } from '#services/datasets/create/provider_questions'
import type { Shares } from '#services/datasets/create/splits'
import { downloadLinks, type Link } from '#services/datasets/download_links'
import { type DatasetFormat, FORMATS } from '#services/datasets/dataset_reader'
import type { Example } from '#services/datasets/example'
import { DatasetVersions } from '#services/datasets/versions'
import type { DatasetFile, Extract } from '#services/documents/artifacts'
import { keptId } from '#services/documents/awaited_ids'
import { DocumentStore } from '#services/documents/document_store'
import type { Warning } from '#services/documents/parsed_document'
import { extractionHead, keptExtracts } from '#services/extraction/kept_extracts'
import { fallbackWarning, wantedProvider, warner } from '#services/provider/configured_provider'
import type { ProviderSettings, ProviderUsage } from '#services/provider/provider_settings'
import { keptIdField } from '#validators/kept_id'
import { payloadOf } from '#validators/payload'

type Payload = {
  /** Id of an extraction, as the result of `extraction.selective` names it; `awaited` stands for that of an awaited job. */
  extraction: string
  kind: CreatedKind
  /** Datasets of one name are versions of each other. Default: the kind. */
  name?: string
  /** Default `jsonl`. */
  format?: DatasetFormat
  /** Shares of the examples; together 1. Default 0.8, 0.1 and 0.1. */
  splits?: { train: number; validation: number; test: number }
  /** Another seed shares the examples out otherwise. Default 1. */
  seed?: number
  /** Of classification: examples of a label, at least; a category with fewer goes into the one above. Default 5. */
  fewest?: number
  /** Of questions and answers: whether a configured provider asks them; `false` where it is left out. */
  provider?: boolean
}

type Result = {
  /** Id of the dataset. */
  dataset: string
  name: string
  version: number
  kind: CreatedKind
  examples: number
  files: DatasetFile[]
  /** Where its files can be had. */
  links: Link[]
  leftOut: { extracts: number; repeated: number; rare: number }
  /** What the provider was asked, and its cost; null where it was not. */
  provider: ProviderUsage | null
  warnings: Warning[]
}

const SPLITS = { train: 0.8, validation: 0.1, test: 0.1 }

const share = () => vine.number({ strict: true }).min(0).max(1)

/**
 * Makes examples of what was extracted, and shares them out into splits that have nothing in common.
 */
export default class Create extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'dataset_generation.create',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = payloadOf(
    {
      extraction: keptIdField(),
      kind: vine.enum(['classification', 'question_answer', 'instruction', 'summary'] as const),
      name: vine
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,79}$/i)
        .optional(),
      format: vine.enum(FORMATS).optional(),
      splits: vine.object({ train: share(), validation: share(), test: share() }).optional(),
      seed: vine.number({ strict: true }).withoutDecimals().min(0).max(2_147_483_647).optional(),
      fewest: vine.number({ strict: true }).withoutDecimals().min(1).max(10_000).optional(),
      provider: vine.boolean({ strict: true }).optional(),
    },
    ({ kind, splits, provider }: Payload) => {
      const sum = Object.values(splits ?? SPLITS).reduce((all, one) => all + one, 0)
      return [
        Math.abs(sum - 1) > 1e-6 && {
          field: 'splits',
          message: `The splits must add up to 1, not ${Number(sum.toFixed(6))}`,
        },
        provider === true &&
          kind !== 'question_answer' && {
            field: 'provider',
            message: `A provider asks questions: it goes with kind question_answer, not ${kind}`,
          },
      ]
    }
  )

  constructor(
    private store: DocumentStore = new DocumentStore(),
    private settings?: ProviderSettings | null
  ) {
    super()
  }

  async execute(): Promise<Result> {
    const { kind, name = kind, format = 'jsonl', seed = 1, fewest = 5 } = this.payload
    const extraction = await keptId(this, this.payload.extraction, 'extraction')
    const shares: Shares = this.payload.splits ?? SPLITS
    const path = this.store.artifact('extractions', extraction)
    const names = await this.#names(path)
    const warnings: Warning[] = []
    const warn = warner(this, warnings)
    const client = this.payload.provider === true ? await wantedProvider(this.settings, warn) : null
    const offline = (extract: Extract) =>
      examplesOf(kind, extract, names.get(extract.category) ?? '')
    const asking = client === null ? null : new ProviderQuestions(client)
    const make =
      asking === null ? offline : (extract: Extract) => this.#asked(asking, extract, offline)
    const { dataset, leftOut } = await createDataset(keptExtracts(path), make, {
      kind,
      name,
      format,
      spreadsheet: true,
      shares,
      seed,
      fewest,
      extraction,
      folder: this.store.datasetFiles,
      signal: this.signal,
      tell: (stage, percent, done, total) =>
        this.progress(Math.min(99, percent), {
          stage,
          done,
          ...(total === null ? undefined : { total }),
          unit: stage === 'Making examples' ? 'extracts' : 'examples',
        }),
    })
    const fallback = asking && fallbackWarning(asking.provider, 'extracts were asked about offline')
    if (fallback !== null) warn(fallback)
    const id = await this.store.keep('datasets', dataset)
    const version = await new DatasetVersions(this.store.datasetVersions).of(name, id)
    const { examples, files } = dataset
    await this.progress(100, {
      stage: 'Dataset kept',
      done: examples,
      total: examples,
      unit: 'examples',
    })
    this.log.info('%s version %d: %d examples', name, version, examples)
    return {
      dataset: id,
      name,
      version,
      kind,
      examples,
      files,
      leftOut,
      links: downloadLinks(id, files),
      provider: client?.usage ?? null,
      warnings,
    }
  }

  async #asked(
    asking: ProviderQuestions,
    extract: Extract,
    offline: (extract: Extract) => Example[]
  ): Promise<Example[]> {
    const { text, subject } = passageOf(extract)
    const questions = await asking.of(text, subject, this.signal)
    return questions === null ? offline(extract) : questionExamples(questions, text, extract)
  }

  async #names(path: string): Promise<Map<string, string>> {
    const { taxonomy } = await extractionHead(path)
    const { categories } = await this.store.kept('taxonomies', taxonomy)
    return new Map(categories.map(({ id, name }) => [id, name]))
  }
}
