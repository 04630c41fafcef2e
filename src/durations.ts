import string from '@adonisjs/core/helpers/string'
import { E_INVALID_DURATION } from './errors.ts'
import type { Duration } from './types.ts'
import { shown } from './shown.ts'

const ZERO = /^0+(\.0+)?(?![\d.])/

const parse = (text: string) => string.milliseconds.parse(text)

/**
 * Reads a duration: a number of milliseconds or an expression such as `500ms`, `10m`, `72h`, `60d`. Days are 24 hours.
 *
 * @param option name under which the value was given, for the error
 * @returns whole milliseconds, 0 or more
 * @throws E_INVALID_DURATION for anything else, negative durations and those beyond 2^53 included
 */
export function toMilliseconds(value: Duration, option: string): number {
  let milliseconds: number | undefined
  if (typeof value === 'number') {
    milliseconds = value
  } else if (typeof value === 'string' && value.length > 0 && value.length <= 100) {
    try {
      /** The parser takes a zero for text that it cannot read. */
      const isZero = ZERO.test(value)
      milliseconds = isZero ? 0 * parse(value.replace(ZERO, '1')) : parse(value)
    } catch {
      /** The error below names value, option and remedy; the parser's own names neither. */
      milliseconds = undefined
    }
  }

  /** Beyond that neither numbers nor Redis are exact. */
  const whole = Math.round(milliseconds ?? Number.NaN)
  if (!Number.isSafeInteger(whole) || milliseconds! < 0) {
    throw new E_INVALID_DURATION([shown(value, 100), option])
  }
  return whole
}
