import { type DatasetFormat, FORMATS, readExamples } from '#services/datasets/dataset_reader'
import { datasetSource } from '#services/datasets/dataset_source'
import { exactDigits } from '#services/datasets/example'
import type { Quality } from '#services/datasets/quality'
import { DocumentProblem } from '#services/documents/document_problem'
import type { DocumentStore } from '#services/documents/document_store'
import { datasetShelf } from './dataset_shelf.ts'
import { newestJobs } from './job_states.ts'
import { ago, counted, percent, shortened, size } from './words.ts'

/** First examples that are shown, and the longest value of one. */
const EXAMPLES = 8
const LONGEST = 700

/** Jobs that are looked through for the check of a dataset. */
const CHECKS = 100

/** Fields that say where an example comes from; they stand in one line behind the others. */
const ORIGIN = ['id', 'category', 'source', 'start', 'end', 'confidence']

/**
 * A dataset: its files in every format that was made, what a check found, its first examples, and the other versions of its name.
 *
 * @throws DocumentProblem NOT_FOUND
 */
export async function datasetPage(store: DocumentStore, id: string) {
  const dataset = await store.kept('datasets', id)
  const { name, kind, examples, files, from } = dataset
  const root = 'dataset' in from ? from.dataset : id
  const shelf = await datasetShelf(store)
  const family = [
    { id, dataset },
    ...shelf.filter(
      (one) =>
        one.id !== id &&
        (one.id === root || ('dataset' in one.dataset.from && one.dataset.from.dataset === root))
    ),
  ]
  const inFormat = (format: DatasetFormat) =>
    family.find((one) => one.dataset.files.every((file) => file.format === format))
  const made = FORMATS.map((format) => ({ format, of: inFormat(format) }))
  const version = shelf.find((one) => one.id === root)?.version ?? null
  return {
    ...{ id, name, kind: kind.replace('_', ' and '), version },
    examples: counted(examples, 'example'),
    formats: FORMATS,
    splits: files.map(({ split, examples: count, bytes }) => ({
      split,
      ...{ examples: count.toLocaleString('en'), size: size(bytes) },
      share: examples === 0 ? 0 : Math.round((count / examples) * 100),
      downloads: made.map(({ format, of }) => {
        const file = of?.dataset.files.find((one) => one.split === split)
        const url = file && `/datasets/${of!.id}/${encodeURIComponent(file.name)}`
        return { format, url: url ?? null, name: file?.name ?? '' }
      }),
    })),
    missing: made.filter(({ of }) => of === undefined).map(({ format }) => format),
    manifest: `/datasets/${id}/manifest.json`,
    quality: await qualityOf(new Set(family.map((one) => one.id))),
    first: await firstExamples(store, id),
    versions: shelf
      .filter((one) => one.version !== null && one.dataset.name === name && one.id !== id)
      .map((one) => ({
        url: `/datasets/${one.id}`,
        text: `Version ${one.version}, ${counted(one.dataset.examples, 'example')}`,
        at: ago(one.at),
      })),
  }
}

async function qualityOf(ids: Set<string>) {
  const jobs = await newestJobs('dataset_generation.validate', 0, CHECKS)
  const found = jobs.find(({ result }) => ids.has(String(result?.dataset)))
  if (found === undefined) return null
  const quality = found.result as unknown as Quality
  const { verdict, completeness, duplicates, leakage, balance, contradictions, findings } = quality
  return {
    job: found.id,
    verdict,
    mark: { good: 'completed', usable: 'suspect', unusable: 'failed' }[verdict],
    facts: [
      ['Complete', percent(completeness.share)],
      ['Said twice', `${duplicates.surplus} (${duplicates.near} in nearly the same words)`],
      ['Contradict', String(contradictions)],
      ['Also in train', `${leakage.examples}, ${percent(leakage.share)}`],
      ...(balance === null
        ? []
        : [['Labels', `${balance.labels.length}, evenness ${percent(balance.evenness)}`]]),
    ],
    labels: (balance?.labels ?? []).slice(0, 40).map(({ label, examples }) => ({
      label: shortened(label, 80),
      examples,
      share: Math.round((examples / Math.max(1, balance!.labels[0].examples)) * 100),
    })),
    findings: findings.slice(0, 50).map(({ severity, path, message }) => ({
      mark: { error: 'failed', warning: 'suspect', note: 'pending' }[severity],
      ...{ severity, message: shortened(message, 300), path: shortened(path, 120) },
    })),
  }
}

async function firstExamples(store: DocumentStore, id: string) {
  const [file] = (await datasetSource(store, { dataset: id })).files
  const first: { number: number; fields: [string, string][]; origin: string }[] = []
  if (file === undefined) return first
  try {
    for await (const one of readExamples(file.path, file.format, file.fields)) {
      if (first.length === EXAMPLES) break
      if ('problem' in one) continue
      const fields = Object.entries(one.example).map(([name, value]): [string, string] => [
        shortened(name, 60),
        shortened(textOf(value), LONGEST),
      ])
      first.push({
        number: first.length + 1,
        fields: fields.filter(([name]) => !ORIGIN.includes(name)).slice(0, 20),
        origin: fields
          .filter(([name]) => ['source', 'category', 'confidence'].includes(name))
          .map(([, text]) => shortened(text, 120))
          .join(' · '),
      })
    }
  } catch (error) {
    if (!(error instanceof DocumentProblem)) throw error
  }
  return first
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return exactDigits(value) ?? JSON.stringify(value) ?? ''
}
