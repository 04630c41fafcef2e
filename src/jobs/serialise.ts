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
const DEEPEST = 500

/**
 * Writes a value as JSON the way `JSON.stringify` does (`toJSON` is honoured, `undefined` members are left out), but
 * refuses what it would change in silence: functions, symbols, NaN and infinities, maps, sets, binary data, BigInt and
 * circles. `undefined` itself is an empty object, as BullMQ has it.
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

function check(value: unknown, path: string, parents: object[]): void {
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
  if (parents.length >= DEEPEST) {
    throw refusal(path, `more than ${DEEPEST} levels`)
  }
  parents.push(object)
  checkMembers(object, path, parents)
  parents.pop()
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
  if (ArrayBuffer.isView(object) || object instanceof ArrayBuffer) {
    throw refusal(path, 'binary data (give it as base64 text, or store it and pass a reference)')
  }
  if (typeof object.toJSON === 'function') {
    check((object.toJSON as (key: string) => unknown)(lastKey(path)), path, parents)
    return
  }
  if (
    object instanceof Map ||
    object instanceof Set ||
    object instanceof WeakMap ||
    object instanceof WeakSet
  ) {
    throw refusal(path, `a ${object.constructor.name} (give it as an array or object)`)
  }
  if (object instanceof Promise) {
    throw refusal(path, 'a promise (await it first)')
  }
  for (const key of Object.keys(object)) {
    const member = object[key]
    if (typeof member !== 'string') {
      check(member, path === '' ? key : `${path}.${key}`, parents)
    }
  }
}

function lastKey(path: string): string {
  return /[^.[\]]*\]?$/.exec(path)?.[0].replace(/\]$/, '') ?? ''
}

function refusal(path: string, what: string): NotSerialisableError {
  return new NotSerialisableError(`${path === '' ? 'it' : `"${path.slice(0, 200)}"`} is ${what}`)
}
