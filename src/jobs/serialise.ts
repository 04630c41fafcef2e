import { cutText } from '../cut_text.ts'

/**
 * A value that JSON cannot hold without losing something. `reason` names the place and what stands there.
 */
export class NotSerialisableError extends Error {
  constructor(public reason: string) {
    super(reason)
  }
}

/**
 * Nesting beyond this is refused: JSON writers and readers recurse, and a reader in another language may give up earlier.
 */
export const DEEPEST_PAYLOAD = 500

/**
 * Kinds of objects that do not show what they hold, whatever else they carry, and what to give instead.
 */
const HIDING: Record<string, string> = {
  Map: 'give it as an array or object',
  Set: 'give it as an array',
  WeakMap: 'give it as an array or object',
  WeakSet: 'give it as an array',
  Promise: 'await it first',
  Error: 'give its message',
}

/** Kinds that JSON writes as what they hold. */
const BOXED = ['Number', 'String', 'Boolean']

/**
 * Writes a value as JSON the way `JSON.stringify` does (`toJSON` is honoured, `undefined` members are left out), but
 * refuses what it would change in silence: functions, symbols, NaN and infinities, maps, sets, errors, responses and other
 * objects that keep what they hold out of sight (in private fields too), invalid dates, binary data, BigInt and circles. `undefined` itself is an empty object, as
 * BullMQ has it.
 *
 * @throws NotSerialisableError
 */
export function toJson(value: unknown): string {
  if (value === undefined) {
    return '{}'
  }
  return written(value) ?? '{}'
}

/**
 * Writes a job's result: like a payload, but `undefined` is `null`.
 *
 * @throws NotSerialisableError
 */
export function resultToJson(value: unknown): string {
  return value === undefined ? 'null' : (written(value) ?? 'null')
}

/** Undefined when a `toJSON` says that there is nothing to write. */
function written(value: unknown): string | undefined {
  check(value, '', [])
  return JSON.stringify(value)
}

function check(given: unknown, path: string, parents: object[]): void {
  const value = standIn(given, path)
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return
    case 'number':
      if (!Number.isFinite(value)) {
        throw refusal(path, `${value}`)
      }
      return
    case 'bigint':
      throw refusal(path, `the BigInt ${value}n (give it as text)`)
    case 'function':
      throw refusal(path, 'a function')
    case 'symbol':
      throw refusal(path, 'a symbol')
  }
  if (value === null) {
    return
  }

  const object = value as Record<string, unknown>
  if (parents.includes(object)) {
    throw refusal(path, 'a circle: the value contains itself')
  }
  if (parents.length >= DEEPEST_PAYLOAD) {
    throw refusal(path, `nested too deep: ${DEEPEST_PAYLOAD} levels are the most`)
  }
  parents.push(object)
  checkMembers(object, path, parents)
  parents.pop()
}

/** What `JSON.stringify` writes in the place of a value: it asks once. */
function standIn(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    throw refusal(path, 'binary data (give it as base64 text, or store it and pass a reference)')
  }
  if (isInvalidDate(value)) throw refusal(path, 'an invalid Date')
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' ? toJSON.call(value, lastKey(path)) : value
}

/** `Object` of whatever classes of the application make, the name of the class for what the platform makes. */
function kindOf(object: object): string {
  return Object.prototype.toString.call(object).slice(8, -1)
}

function checkMembers(object: Record<string, unknown>, path: string, parents: object[]): void {
  if (Array.isArray(object)) {
    /** `entries()` visits the holes of a sparse list too, which JSON writes as null. */
    for (const [index, member] of (object as unknown[]).entries()) {
      if (typeof member !== 'string') {
        check(member, `${path}[${index}]`, parents)
      }
    }
    return
  }
  const keys = Object.keys(object)
  const kind = kindOf(object)
  if (
    kind !== 'Object' &&
    (Object.hasOwn(HIDING, kind) || (keys.length === 0 && !BOXED.includes(kind)))
  ) {
    const remedy = HIDING[kind] ?? 'JSON keeps nothing of it'
    throw refusal(path, `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind} (${remedy})`)
  }
  if (keys.length === 0 && kind === 'Object' && hidesAll(object)) {
    const name = nameOf(object)
    throw refusal(
      path,
      `an object of ${name} that shows nothing of what it holds (give the values, or ${name} a toJSON)`
    )
  }
  for (const key of keys) {
    const member = object[key]
    if (typeof member !== 'string') {
      check(member, path === '' ? key : `${path}.${key}`, parents)
    }
  }
}

/** JSON would write null in its place. */
function isInvalidDate(value: object): boolean {
  return value instanceof Date && Number.isNaN(value.getTime())
}

/**
 * Whether an object without members of its own has methods or getters: what they work on lies in private fields. One that has none is a
 * class of optional members of which none is set.
 */
function hidesAll(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === null || typeof prototype !== 'object' || isRoot(prototype)) return false
  return (
    Reflect.ownKeys(prototype).some((key) => key !== 'constructor') || hidesAll(prototype as object)
  )
}

/** Of this realm or another one. */
function isRoot(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null
}

function nameOf(object: object): string {
  const name: unknown = object.constructor?.name
  return typeof name === 'string' && name !== '' ? `the class ${name.slice(0, 100)}` : 'a class'
}

function lastKey(path: string): string {
  return /[^.[\]]*\]?$/.exec(path)?.[0].replace(/\]$/, '') ?? ''
}

function refusal(path: string, what: string): NotSerialisableError {
  return new NotSerialisableError(`${path === '' ? 'it' : `"${cutText(path, 200)}"`} is ${what}`)
}
