import type { Progress } from '../../types.ts'
import { count } from './format.ts'

/** A plain English plural of one word. What loses more than its `s` (`boxes`, `entries`), or is none (`status`), stays as it is. */
const PLURAL = /^\p{L}{2,}(?<!s|u|i|ie|xe|zze|oe|che|she|sse|use)(?=s$)/iu

/**
 * The unit of a number: `document` of `documents` where there is one.
 */
export function unitOf(unit: string, value: number): string {
  if (value !== 1) return unit
  return PLURAL.exec(unit)?.[0] ?? unit
}

/**
 * What progress counted: `4 / 10` and `pages`; null while nothing was. The unit is that of the total, where there is one.
 */
export function countedOf({
  done,
  total,
  unit = '',
}: Pick<Progress, 'done' | 'total' | 'unit'>): { value: string; unit: string } | null {
  if (done === undefined) return null
  return {
    value: total === undefined ? count(done) : `${count(done)} / ${count(total)}`,
    unit: unitOf(unit, total ?? done),
  }
}

/** The same in words: `4 of 10 pages`. */
export function countedText(counted: { value: string; unit: string } | null): string {
  return counted === null ? '' : `${counted.value.replace(' / ', ' of ')} ${counted.unit}`.trim()
}
