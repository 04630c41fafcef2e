import { inspect } from 'node:util'
import { cutText } from '../cut_text.ts'
import { shown } from '../shown.ts'

/**
 * What a failed attempt leaves behind. `message` is never empty.
 */
export type Failure = { code: string | null; message: string; stack: string | null }

/**
 * Messages and stacks longer than this are cut, in UTF-16 units: they go into Redis with every failed attempt.
 */
const LONGEST_MESSAGE = 8_192
const LONGEST_STACK = 16_384

/** Errors behind an error that are told with it. */
const MOST_CAUSES = 10

/** What is kept as the code of a failure. Others that are a plain word or number are told in its message. */
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/
const FOREIGN_CODE = /^-?\w{1,64}$/

/**
 * Makes a readable failure of whatever was thrown: errors, text, nothing at all, objects of any kind, with getters that throw
 * and causes that go round in circles. Never throws itself.
 */
export function describeThrown(thrown: unknown): Failure {
  if (typeof thrown === 'string') {
    const message = isBlank(thrown) ? 'The job threw an empty text instead of an error' : thrown
    return { code: null, message: cut(message), stack: null }
  }
  if (!isObject(thrown)) return { code: null, message: cut(noError(thrown)), stack: null }

  const code = read(thrown, 'code')
  const isCode = typeof code === 'string' && CODE.test(code)
  const message = messageOf(thrown)
  return {
    code: isCode ? code : null,
    message: isCode ? cut(message) : withCode(message, code),
    stack: stackOf(thrown),
  }
}

/** Databases have numbers for codes, such as 11000 and "23505": often nothing else tells what went wrong. */
function withCode(message: string, code: unknown): string {
  const text = typeof code === 'number' || typeof code === 'string' ? String(code) : ''
  const words = cut(message).split(/[^\p{L}\p{N}_]+/u)
  if (!FOREIGN_CODE.test(text) || words.includes(text)) return cut(message)
  const end = ` (code ${text})`
  return cutText(message, LONGEST_MESSAGE - end.length) + end
}

/**
 * `instanceof` for a stranger's value: a proxy may refuse to be asked.
 */
export function isInstance<T>(value: unknown, Class: new (...args: any[]) => T): value is T {
  try {
    return value instanceof Class
  } catch {
    return false
  }
}

/**
 * The text that Redis keeps as a job's failed reason: `[CODE] message`, or the message alone.
 */
export function failedReason(failure: Failure): string {
  return failure.code === null ? failure.message : `[${failure.code}] ${failure.message}`
}

function messageOf(thrown: object): string {
  const message = read(thrown, 'message')
  if (typeof message === 'string' && !isBlank(message)) {
    return message
  }
  /** Node says nothing itself when no address of a host could be reached: why stands in each of the errors. */
  const inner = errorsIn(thrown).map((error) => (isObject(error) ? read(error, 'message') : error))
  const said = inner.filter((text) => typeof text === 'string' && !isBlank(text))
  if (said.length > 0) return said.join('; ')
  if (isInstance(thrown, Error)) {
    const name = read(thrown, 'name')
    return `${typeof name === 'string' && name !== '' ? name : 'Error'} without a readable message`
  }
  return noError(thrown)
}

function noError(thrown: unknown): string {
  return `The job threw ${show(thrown)} instead of an error`
}

function isBlank(text: string): boolean {
  return text.trim() === ''
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function stackOf(thrown: object): string | null {
  const stack = read(thrown, 'stack')
  if (typeof stack !== 'string' || stack === '') {
    return null
  }
  return cutText(`${stack}${causesOf(thrown)}`, LONGEST_STACK)
}

/**
 * What stands behind an error: its cause, the errors that it sums up, and theirs, as far as that goes without meeting itself.
 */
function causesOf(thrown: object, seen = new Set<unknown>([thrown])): string {
  const cause = read(thrown, 'cause')
  const causes = [...(cause === undefined || cause === null ? [] : [cause]), ...errorsIn(thrown)]
  let text = ''
  for (const one of causes) {
    if (seen.has(one) || seen.size > MOST_CAUSES) continue
    seen.add(one)
    const stack = isObject(one) ? read(one, 'stack') : undefined
    text += `\n  caused by: ${typeof stack === 'string' && stack !== '' ? stack : show(one)}`
    if (isObject(one)) text += causesOf(one, seen)
  }
  return text
}

/** The first of the errors that an `AggregateError`, or another that is made like one, sums up. */
function errorsIn(thrown: object): unknown[] {
  try {
    const errors = read(thrown, 'errors')
    return isInstance(thrown, Error) && Array.isArray(errors) ? errors.slice(0, MOST_CAUSES) : []
  } catch {
    return []
  }
}

/**
 * A property of a stranger's object. A getter that throws, or a proxy that refuses, is as good as nothing there.
 */
function read(object: object, property: string): unknown {
  try {
    return (object as Record<string, unknown>)[property]
  } catch {
    return undefined
  }
}

function show(value: unknown): string {
  try {
    return inspect(value, {
      depth: 2,
      breakLength: Number.POSITIVE_INFINITY,
      maxStringLength: 1_000,
      maxArrayLength: 20,
    })
  } catch {
    return 'a value that cannot be shown'
  }
}

function cut(text: string): string {
  return cutText(text, LONGEST_MESSAGE)
}

/**
 * `process.exit()` in the code of a job.
 */
export class ExitCalledError extends Error {
  constructor(code: unknown) {
    const call = `process.exit(${code === undefined ? '' : shown(code, 40)})`
    super(`Its code called ${call}, which would have ended the worker and all that runs in it`)
  }
}
