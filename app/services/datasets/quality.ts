import { hash } from 'node:crypto'
import type { Dataset } from '#services/documents/artifacts'
import { Turns } from '#services/documents/turns'
import { DatasetReading, type DatasetSource, survey } from './dataset_source.ts'
import { isEmpty, type Roles, rolesOf, textOf } from './example_fields.ts'
import { type Finding, type Verdict, verdictOf } from './finding.ts'
import { judge } from './judgement.ts'
import { NearDuplicates } from './near_duplicates.ts'
import { type Diversity, type Readability, TextMeasures } from './text_measures.ts'

/**
 * What the checks measured, and what they make of it.
 */
export type Quality = {
  verdict: Verdict
  examples: number
  splits: Record<string, number>
  completeness: { complete: number; share: number }
  /** `surplus` examples say what another says already; `near` of them in nearly the same words. */
  duplicates: { surplus: number; exact: number; near: number }
  /** Texts that stand twice with different labels. */
  contradictions: number
  /** `evenness` is the entropy of the labels divided by the largest possible: 1 when all are as frequent. */
  balance: { labels: { label: string; examples: number }[]; evenness: number } | null
  /** Examples of other splits whose text `train` holds too, or nearly. */
  leakage: { examples: number; share: number }
  readability: Readability
  diversity: Diversity
  findings: Finding[]
}

export type QualityOptions = {
  known: Dataset | null
  text?: string[]
  label?: string
  signal: AbortSignal
  tell: (stage: string, done: number, total: number | null) => Promise<void>
}

/** What is remembered of one example: nothing of its text. */
export type Remembered = { split: string; place: string; label: string | null; digest: string }

const TOLD_EVERY = 500

/** Findings of single examples are told for so many. */
const MOST_TOLD = 20

/**
 * Measures a dataset in near-linear time. A bad dataset is a result, not an error.
 *
 * @throws DocumentProblem where it cannot be read
 */
export async function qualityOf(
  source: DatasetSource,
  options: QualityOptions
): Promise<{ quality: Quality; reading: DatasetReading }> {
  const turns = new Turns(options.signal)
  const { known } = options
  if (known === null) await options.tell('Learning the fields', 0, null)
  const { fields, examples: total } = known ?? (await survey(source.files, turns))
  const roles = rolesOf(source.kind, fields, options)
  const reading = new DatasetReading(source.files)
  const [wholes, contents] = [new NearDuplicates(), new NearDuplicates()]
  const sameFields = roles.whole.join() === roles.content.join()
  const measures = new TextMeasures()
  const remembered: Remembered[] = []
  const findings: Finding[] = []
  let complete = 0

  for await (const { file, place, example } of reading.examples()) {
    const empty = required(roles).find((name) => isEmpty(example, name))
    if (empty === undefined) complete++
    else if (findings.length < MOST_TOLD) {
      const path = `${file.split} ${place}`
      findings.push({ severity: 'note', path, message: `"${empty}" is empty` })
    }
    const whole = textOf(example, roles.whole)
    const content = sameFields ? whole : textOf(example, roles.content)
    wholes.add(whole)
    if (!sameFields) contents.add(content)
    measures.add(whole)
    remembered.push({
      split: file.split,
      place,
      label: roles.label === null ? null : textOf(example, [roles.label]),
      digest: hash('sha256', whole, 'base64').slice(0, 16),
    })
    if (reading.read % TOLD_EVERY === 0) await options.tell('Reading', reading.read, total)
    if (turns.due()) await turns.give()
  }

  await options.tell('Comparing', reading.read, total)
  const same = await wholes.groups(turns)
  const alike = sameFields ? same : await contents.groups(turns)
  const measured = await judge(
    {
      remembered,
      same,
      alike,
      complete,
      readability: measures.readability(),
      diversity: measures.diversity(),
    },
    turns
  )
  const all = [...measured.findings, ...findings]
  return { quality: { ...measured, findings: all, verdict: verdictOf(all) }, reading }
}

function required({ content, whole, label }: Roles): string[] {
  return [...new Set([...content, ...whole, ...(label === null ? [] : [label])])]
}
