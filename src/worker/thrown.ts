import { inspect } from 'node:util'
import { cutText } from '../cut_text.ts'

/**
 * What a failed attempt leaves behind. `message` is never empty.
 */
export type Failure = { code: string | null; message: string; stack: string | null }

/**
 * Messages and stacks longer than this are cut, in UTF-16 units: they go into Redis with every failed attempt.
 */
const LONGEST_MESSAGE = 8_192
const LONGEST_STACK = 16_384

const CODE = /^[A-Z][A-Z0-9_]{0,63}$/

/**
 * Makes a readable failure of whatever was thrown: errors, text, nothing at all, objects of any kind, with getters that throw
 * and causes that go round in circles. Never throws itself.
 */
export function describeThrown(thrown: unknown): Failure {
  if (thrown === undefined || thrown === null) {
    return { code: null, message: `The job threw ${thrown} instead of an error`, stack: null }
  }
  if (typeof thrown === 'string') {
    return {
      code: null,
      message: cut(thrown) || 'The job threw an empty text instead of an error',
      stack: null,
    }
  }
  if (typeof thrown !== 'object' && typeof thrown !== 'function') {
    return { code: null, message: `The job threw ${show(thrown)} instead of an error`, stack: null }
  }

  const code = read(thrown, 'code')
  return {
    code: typeof code === 'string' && CODE.test(code) ? code : null,
    message: cut(messageOf(thrown)),
    stack: stackOf(thrown),
  }
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
  if (typeof message === 'string' && message.trim() !== '') {
    return message
  }
  if (isInstance(thrown, Error)) {
    const name = read(thrown, 'name')
    return `${typeof name === 'string' && name !== '' ? name : 'Error'} without a readable message`
  }
  return `The job threw ${show(thrown)} instead of an error`
}

function stackOf(thrown: object): string | null {
  const stack = read(thrown, 'stack')
  if (typeof stack !== 'string' || stack === '') {
    return null
  }
  const causes = causesOf(thrown)
  return cutText(`${stack}${causes}`, LONGEST_STACK)
}

/**
 * The chain of causes, as far as it goes without meeting itself.
 */
function causesOf(thrown: object): string {
  const seen = new Set<unknown>([thrown])
  let text = ''
  let cause = read(thrown, 'cause')
  while (cause !== undefined && cause !== null && !seen.has(cause) && seen.size <= 10) {
    seen.add(cause)
    const stack = typeof cause === 'object' ? read(cause, 'stack') : undefined
    text += `\n  caused by: ${typeof stack === 'string' && stack !== '' ? stack : show(cause)}`
    cause = typeof cause === 'object' ? read(cause, 'cause') : undefined
  }
  return text
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
