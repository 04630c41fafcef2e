import type { DatasetKind } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'
import type { Example } from './example.ts'
import type { Field } from './fields.ts'

/**
 * Which fields of an example are what.
 */
export type Roles = {
  /** The text that an example is about. Two examples about nearly the same text belong into the same split. */
  content: string[]
  /** What makes two examples the same. */
  whole: string[]
  /** What it says, of examples that are labelled. */
  label: string | null
}

const OF_KIND: Record<Exclude<DatasetKind, 'other'>, Roles> = {
  classification: { content: ['text'], whole: ['text'], label: 'label' },
  question_answer: { content: ['context'], whole: ['question', 'answer'], label: null },
  instruction: { content: ['input'], whole: ['instruction', 'output'], label: null },
  summary: { content: ['text'], whole: ['text', 'summary'], label: null },
}

/** Names under which files that were brought mostly keep labels and texts. */
const LABELS = ['label', 'labels', 'category', 'class', 'target']
const TEXTS = [
  'text',
  'content',
  'input',
  'prompt',
  'question',
  'instruction',
  'context',
  'sentence',
]

/**
 * @param given  what a person said of a file of their own
 * @throws DocumentProblem DATASET_DAMAGED when there is no such field, or none that could be the text
 */
export function rolesOf(
  kind: DatasetKind,
  fields: Field[],
  given: { text?: string[]; label?: string }
): Roles {
  const names = fields.map(({ name }) => name)
  const missing = [...(given.text ?? []), ...(given.label === undefined ? [] : [given.label])]
  for (const name of missing) {
    if (names.includes(name)) continue
    throw new DocumentProblem(
      'DATASET_DAMAGED',
      `has no field "${name}"; its fields: ${names.slice(0, 20).join(', ')}`
    )
  }
  if (kind !== 'other' && given.text === undefined && given.label === undefined) {
    return OF_KIND[kind]
  }
  const label = given.label ?? LABELS.find((name) => names.includes(name)) ?? null
  const text = given.text ?? fallback(fields, label)
  if (text.length === 0) {
    throw new DocumentProblem('DATASET_DAMAGED', 'has no field of text: name one in "text"')
  }
  return { content: text, whole: text, label }
}

function fallback(fields: Field[], label: string | null): string[] {
  const known = fields.filter(({ name }) => TEXTS.includes(name.toLowerCase()))
  if (known.length > 0) return known.map(({ name }) => name)
  return fields
    .filter(
      ({ name, type }) => type === 'text' && name !== label && !/^(id|source|url)$/i.test(name)
    )
    .map(({ name }) => name)
}

/** The text of some fields of an example, one below the other. */
export function textOf(example: Example, names: string[]): string {
  return names
    .map((name) => {
      const value = example[name]
      return value === undefined || value === null
        ? ''
        : typeof value === 'string'
          ? value
          : JSON.stringify(value)
    })
    .join('\n')
}

/** Whether a field says nothing. */
export function isEmpty(example: Example, name: string): boolean {
  const value = Object.hasOwn(example, name) ? example[name] : null
  return value === null || (typeof value === 'string' && value.trim() === '')
}
