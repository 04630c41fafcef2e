import { E_INVALID_OPTION } from '../errors.ts'
import { shownWithKind } from '../shown.ts'

const LONGEST = 200
const LONGEST_TAG = 100
const MOST_TAGS = 20

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/**
 * Checks that something is an object of which all members are read: whatever else was meant would be passed over in silence.
 *
 * @param place what the object is, for the error
 * @throws E_INVALID_OPTION
 */
export function assertMembers(value: unknown, place: string, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new E_INVALID_OPTION([
      place,
      `must be an object of ${known.join(', ')}, not ${shownWithKind(value, 100)}`,
    ])
  }
  const stranger = Object.keys(value).find((key) => !known.includes(key))
  if (stranger !== undefined) {
    throw new E_INVALID_OPTION([`${place}.${stranger}`, `is not known; known: ${known.join(', ')}`])
  }
}

/**
 * A queue's name: 1 to 200 characters without `:` (BullMQ builds its keys with it) and without control characters.
 *
 * @throws E_INVALID_OPTION
 */
export function checkQueueName(value: unknown, option = 'queue'): string {
  const name = checkName(value, option)
  if (name.includes(':')) {
    throw new E_INVALID_OPTION([
      option,
      `must not contain ":" ("${name}"); BullMQ builds the keys of a queue with it`,
    ])
  }
  return name
}

/**
 * A job type's, a user's or any other name: 1 to 200 characters without control characters.
 *
 * @throws E_INVALID_OPTION
 */
export function checkName(value: unknown, option: string, longest = LONGEST): string {
  if (typeof value !== 'string') {
    throw new E_INVALID_OPTION([option, `must be text, not ${kindOf(value)}`])
  }
  if (value.length === 0 || value.length > longest) {
    throw new E_INVALID_OPTION([
      option,
      `must have 1 to ${longest} characters, not ${value.length}`,
    ])
  }
  /** On a page there would be nothing to see, or to follow. */
  if (value.trim() === '') {
    throw new E_INVALID_OPTION([option, 'must not consist of spaces alone'])
  }
  if (CONTROL.test(value)) {
    throw new E_INVALID_OPTION([
      option,
      `must not contain control characters (${JSON.stringify(value)})`,
    ])
  }
  if (!value.isWellFormed()) {
    throw new E_INVALID_OPTION([option, 'must not contain half a surrogate pair'])
  }
  return value
}

/** What was given instead of text; of what JSON writes without quotes also the value, and how to write it. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'number' && typeof value !== 'boolean') return typeof value
  return `${typeof value} ${value}: write "${value}"`
}

/**
 * Who a job belongs to: an id of the application's own, as text or number.
 */
export function checkUser(value: unknown, option = 'user'): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    return String(value)
  }
  if (typeof value === 'bigint') {
    return String(value)
  }
  return checkName(value, option)
}

/**
 * At most 20 tags of up to 100 characters; doubles are dropped.
 */
export function checkTags(value: unknown, option = 'tags'): string[] {
  if (!Array.isArray(value)) {
    throw new E_INVALID_OPTION([option, 'must be a list of texts'])
  }
  const tags = [...new Set(Array.from(value, (tag) => checkName(tag, option, LONGEST_TAG)))]
  if (tags.length > MOST_TAGS) {
    throw new E_INVALID_OPTION([option, `may hold ${MOST_TAGS} tags, not ${tags.length}`])
  }
  return tags
}

/** The tags of a type and those of a dispatch, each once. */
export function joinTags(ofType: readonly string[] = [], own: readonly string[] = []): string[] {
  return [...new Set([...ofType, ...own])]
}

/**
 * The tags of a type and those of a dispatch add up: a job has as many as either may.
 *
 * @throws E_INVALID_OPTION
 */
export function assertFewTags(joined: readonly string[] = []): void {
  if (joined.length <= MOST_TAGS) return
  throw new E_INVALID_OPTION([
    'tags',
    `may hold ${MOST_TAGS} tags, not ${joined.length} with those of the type`,
  ])
}
