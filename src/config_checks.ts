import { E_INVALID_CONFIG } from './errors.ts'
import { toMilliseconds } from './durations.ts'
import type { Duration } from './types.ts'

/*
 * Checks of single values of config/queuedeck.ts. All throw E_INVALID_CONFIG naming the key, its value and the remedy.
 */

/** A text that is not empty; undefined where none is given. */
export function text(value: unknown, key: string): string | undefined {
  if (value === undefined) {
    return undefined
  }
  if (typeof value !== 'string' || value === '') {
    throw wrong(key, value, 'give a text that is not empty')
  }
  return value
}

/** A duration of at least `least` and at most `most`, in milliseconds. */
export function duration(value: Duration, key: string, least: number, most = Infinity): number {
  let milliseconds: number
  try {
    milliseconds = toMilliseconds(value, key)
  } catch (error) {
    throw new E_INVALID_CONFIG([(error as Error).message], { cause: error })
  }
  if (milliseconds < least) {
    throw wrong(key, value, `give at least ${least} ms`)
  }
  if (milliseconds > most) throw wrong(key, value, `give at most ${most} ms`)
  return milliseconds
}

export function whole(value: unknown, key: string, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw wrong(key, value, `give a whole number from ${least} to ${most}`)
  }
  return value as number
}

export function yesOrNo(value: unknown, key: string): boolean {
  if (typeof value !== 'boolean') {
    throw wrong(key, value, 'give true or false')
  }
  return value
}

/** The error about one key: its value, cut, and what to do. */
export function wrong(key: string, value: unknown, remedy: string) {
  let shown: string
  try {
    /** JSON has no NaN. */
    const json = typeof value === 'number' ? String(value) : JSON.stringify(value)
    shown = typeof value === 'string' ? `"${value}"` : (json ?? String(value))
  } catch {
    shown = typeof value
  }
  return new E_INVALID_CONFIG([`"${key}" cannot be ${shown.slice(0, 100)}: ${remedy}`])
}

/** Refuses what is no object, and keys that nobody reads. */
export function assertKnownKeys(value: unknown, place: string, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new E_INVALID_CONFIG([`"${place || 'the configuration'}" must be an object`])
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      const name = place === '' ? key : `${place}.${key}`
      throw new E_INVALID_CONFIG([
        `"${name}" is not known. Remove it or use one of: ${known.join(', ')}`,
      ])
    }
  }
}
