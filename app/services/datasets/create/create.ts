import { hash } from 'node:crypto'
import type { Dataset, DatasetFile, Extract } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'
import { sortedInTurns } from '#services/documents/sorted'
import { Turns, visited } from '#services/documents/turns'
import type { DatasetFormat } from '../dataset_reader.ts'
import { DatasetWriter } from '../dataset_writer.ts'
import type { Example } from '../example.ts'
import { textOf } from '../example_fields.ts'
import { type Field, FieldSurvey } from '../fields.ts'
import { NearDuplicates } from '../near_duplicates.ts'
import type { CreatedKind } from './examples.ts'
import { learnableLabels, type Shares, splitsOf, type Splittable } from './splits.ts'
import { Spool } from './spool.ts'

export type CreateOptions = {
  kind: CreatedKind
  name: string
  format: DatasetFormat
  spreadsheet: boolean
  shares: Shares
  seed: number
  /** Examples of a label, at least. */
  fewest: number
  /** Id of the extraction. */
  extraction: string
  folder: string
  signal: AbortSignal
  tell: (stage: string, percent: number, done: number, total: number | null) => Promise<void>
}

export type Created = {
  dataset: Dataset
  /** Extracts of which no example could be made, examples that another says already, and those whose label has too few. */
  leftOut: { extracts: number; repeated: number; rare: number }
}

/** What is remembered of an example while it waits on disk: nothing of its text. */
type Sketch = {
  id: string
  category: string
  source: string
  start: number
  end: number
}

/** Two parts of a document that share more of the shorter one than this say nearly the same. */
const OVERLAPPING = 0.3

const TOLD_EVERY = 250

const ABOUT: Record<CreatedKind, { whole: string[]; content: string[] }> = {
  classification: { whole: ['text'], content: ['text'] },
  question_answer: { whole: ['question', 'answer'], content: ['context'] },
  instruction: { whole: ['instruction', 'output'], content: ['input'] },
  summary: { whole: ['text'], content: ['text'] },
}

/**
 * Makes a dataset of extracts. The examples wait on disk until it is known what belongs together and which labels can be learned.
 *
 * @param make  the examples of one extract
 * @throws DocumentProblem NO_EXAMPLES
 */
export async function createDataset(
  extracts: AsyncIterable<Extract>,
  make: (extract: Extract) => Example[] | Promise<Example[]>,
  options: CreateOptions
): Promise<Created> {
  const spool = await Spool.open(options.folder)
  try {
    return await created(extracts, make, spool, options)
  } finally {
    await spool.discard()
  }
}

async function created(
  extracts: AsyncIterable<Extract>,
  make: (extract: Extract) => Example[] | Promise<Example[]>,
  spool: Spool,
  options: CreateOptions
): Promise<Created> {
  const turns = new Turns(options.signal)
  const { whole, content } = ABOUT[options.kind]
  const sketches: Sketch[] = []
  const digests = new Set<string>()
  const contents = new NearDuplicates()
  const survey = new FieldSurvey()
  const leftOut = { extracts: 0, repeated: 0, rare: 0 }
  let read = 0
  for await (const extract of extracts) {
    if (turns.due()) await turns.give()
    if (read++ % TOLD_EVERY === 0) await options.tell('Making examples', 0, read - 1, null)
    const made = make(extract)
    const examples = made instanceof Promise ? await made : made
    if (examples.length === 0) leftOut.extracts++
    for (const example of examples) {
      const digest = digestOf(textOf(example, whole))
      if (digests.has(digest)) {
        leftOut.repeated++
        continue
      }
      digests.add(digest)
      survey.add(example)
      contents.add(textOf(example, content))
      const { category, source, start, end } = extract
      sketches.push({ id: example.id as string, category, source, start, end })
      const full = spool.add(example)
      if (full !== undefined) await full
    }
  }
  digests.clear()
  if (sketches.length === 0) {
    throw new DocumentProblem(
      'NO_EXAMPLES',
      `gives no example of the kind ${options.kind}: none of its ${read} extracts says enough`
    )
  }
  await options.tell('Comparing', 50, sketches.length, sketches.length)
  const groups = await joined(sketches, await contents.groups(turns), turns)
  await turns.give()
  /** Examples without labels are shared out as a whole: a few of each category would all be in the first split. */
  const labels =
    options.kind === 'classification'
      ? learnableLabels(
          sketches.map(({ category }) => category),
          options.fewest
        )
      : sketches.map(() => '')
  const kept: Splittable[] = []
  await visited(sketches, turns, ({ id }, at) => {
    const label = labels[at]
    if (label !== null) kept.push({ id, label, group: groups[at] })
  })
  leftOut.rare = sketches.length - kept.length
  if (kept.length === 0) {
    throw new DocumentProblem(
      'NO_EXAMPLES',
      `has no category with ${options.fewest} examples: lower "fewest"`
    )
  }
  await turns.give()
  const splits = await splitsOf(kept, options.shares, options.seed, turns)
  const fields = survey.fields()
  const files = await write(spool, labels, splits, { ...options, fields }, turns)
  const dataset: Dataset = {
    name: options.name,
    kind: options.kind,
    from: { extraction: options.extraction },
    seed: options.seed,
    fields,
    examples: kept.length,
    files,
  }
  return { dataset, leftOut }
}

/**
 * @param labels of all examples on disk; those without one are left out
 * @param splits of all others
 */
async function write(
  spool: Spool,
  labels: (string | null)[],
  splits: string[],
  options: CreateOptions & { fields: Field[] },
  turns: Turns
): Promise<DatasetFile[]> {
  const writers = new Map<string, DatasetWriter>()
  const total = splits.length
  try {
    for (const split of Object.keys(options.shares)) {
      if (options.shares[split] === 0) continue
      writers.set(split, await DatasetWriter.open(options.folder, { ...options, split }))
    }
    let [at, written] = [0, 0]
    for await (const example of spool.examples()) {
      if (turns.due()) await turns.give()
      const label = labels[at++]
      if (label === null) continue
      const writer = writers.get(splits[written])!
      const full = writer.add('label' in example ? { ...example, label } : example)
      if (full !== undefined) await full
      if (written++ % TOLD_EVERY === 0) {
        await options.tell('Writing', 60 + (39 * written) / total, written, total)
      }
    }
    const files: DatasetFile[] = []
    for (const writer of writers.values()) files.push(await writer.close())
    return files
  } finally {
    for (const writer of writers.values()) await writer.discard()
  }
}

/** Groups of texts that are nearly the same, joined where parts of one document overlap. */
async function joined(sketches: Sketch[], alike: Uint32Array, turns: Turns): Promise<Uint32Array> {
  const parents = alike.slice()
  const root = (index: number): number => {
    let at = index
    while (parents[at] !== at) at = parents[at] = parents[parents[at]]
    return at
  }
  const byPlace = (a: number, b: number) => {
    const [one, other] = [sketches[a], sketches[b]]
    if (one.source !== other.source) return one.source < other.source ? -1 : 1
    return one.start - other.start || one.end - other.end || a - b
  }
  const order = await sortedInTurns([...sketches.keys()], byPlace, turns)
  for (let at = 1; at < order.length; at++) {
    if (at % 512 === 0 && turns.due()) await turns.give()
    const [one, other] = [sketches[order[at - 1]], sketches[order[at]]]
    if (one.source !== other.source) continue
    const shared = Math.min(one.end, other.end) - other.start
    if (shared <= OVERLAPPING * Math.min(one.end - one.start, other.end - other.start)) continue
    const [first, second] = [root(order[at - 1]), root(order[at])]
    parents[Math.max(first, second)] = Math.min(first, second)
  }
  await visited(parents, turns, (_, index) => void (parents[index] = root(index)))
  return parents
}

function digestOf(text: string): string {
  const said = text.toLowerCase().replace(/\s+/g, ' ').trim()
  return hash('sha256', said, 'base64').slice(0, 22)
}
