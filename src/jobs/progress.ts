import { cutText } from '../cut_text.ts'
import { E_INVALID_OPTION } from '../errors.ts'
import { shownWithKind } from '../shown.ts'
import type { Progress, ProgressDetails } from '../types.ts'

const DETAILS = ['stage', 'done', 'total', 'unit']
const LONGEST_STAGE = 200
const LONGEST_UNIT = 50

/**
 * Checks what a job reports. Percentages keep two decimals, and are looked at so; stage and unit are cut at 200 and 50 characters.
 *
 * @throws E_INVALID_OPTION naming the value: percent outside 0 to 100, counts that are no whole numbers of 0 or more, unknown details
 */
export function toProgress(percent: number, details: ProgressDetails = {}): Progress {
  /** Shares that are added up come to 100.00000000000001, or to a little less than 0. */
  const rounded = typeof percent === 'number' ? Math.round(percent * 100) / 100 : Number.NaN
  if (!(rounded >= 0 && rounded <= 100)) {
    throw new E_INVALID_OPTION([
      'percent',
      `must be a number from 0 to 100, not ${shownWithKind(percent, 100)}`,
    ])
  }
  if (typeof details !== 'object' || details === null) {
    throw new E_INVALID_OPTION([
      'details',
      `must be an object such as { stage: "Reading" }, not ${shownWithKind(details, 100)}`,
    ])
  }
  for (const key of Object.keys(details)) {
    if (!DETAILS.includes(key)) {
      throw new E_INVALID_OPTION([
        key,
        `is not part of a progress report; known: ${DETAILS.join(', ')}`,
      ])
    }
  }

  const progress: Progress = { percent: rounded }
  if (details.stage !== undefined) {
    progress.stage = text(details.stage, 'stage', LONGEST_STAGE)
  }
  if (details.done !== undefined) {
    progress.done = count(details.done, 'done')
  }
  if (details.total !== undefined) {
    progress.total = count(details.total, 'total')
  }
  if (details.unit !== undefined) {
    progress.unit = text(details.unit, 'unit', LONGEST_UNIT)
  }
  return progress
}

function text(value: unknown, name: string, longest: number): string {
  if (typeof value !== 'string') {
    throw new E_INVALID_OPTION([name, `must be text, not ${typeof value}`])
  }
  return cutText(value, longest)
}

function count(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new E_INVALID_OPTION([
      name,
      `must be a whole number of 0 or more, not ${shownWithKind(value, 100)}`,
    ])
  }
  return value as number
}
