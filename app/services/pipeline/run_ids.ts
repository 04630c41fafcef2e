import { randomUUID } from 'node:crypto'
import { followUpId } from '#services/documents/follow_up_id'
import type { CreatedKind } from '#services/datasets/create/examples'

/** Kinds of datasets that a run can make, in the order of their numbers. */
export const KINDS: CreatedKind[] = ['classification', 'question_answer', 'instruction', 'summary']

const STEPS = ['analyse', 'validate', 'extract', 'entities'] as const
const OF_DATASETS = ['create', 'check', 'csv', 'json'] as const
const FIRST_DATASET = 10
const FIRST_DOCUMENT = 1_000

/**
 * The jobs of a run, by its id alone: that of the job which makes the taxonomy, the one that all others lead to or come from.
 */
export class RunIds {
  constructor(readonly run: string) {}

  /** Of a run that begins now: a UUID of version 7. */
  static new(): RunIds {
    const moment = Date.now().toString(16).padStart(12, '0')
    return new RunIds(`${moment.slice(0, 8)}-${moment.slice(8)}-7${randomUUID().slice(15)}`)
  }

  /** Reads the document of this number. What it read is cut by `followUpId` of it. */
  document(number: number): string {
    return followUpId(this.run, FIRST_DOCUMENT + number)
  }

  step(name: (typeof STEPS)[number]): string {
    return followUpId(this.run, 1 + STEPS.indexOf(name))
  }

  dataset(kind: CreatedKind, part: (typeof OF_DATASETS)[number]): string {
    const number = FIRST_DATASET + KINDS.indexOf(kind) * OF_DATASETS.length
    return followUpId(this.run, number + OF_DATASETS.indexOf(part))
  }
}
