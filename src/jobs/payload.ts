import { E_PAYLOAD_INVALID, E_PAYLOAD_NOT_SERIALISABLE, E_PAYLOAD_TOO_LARGE } from '../errors.ts'
import { shown } from '../shown.ts'
import { NotSerialisableError, toJson } from './serialise.ts'

/**
 * What `static payload` of a job class must be: a validator as `vine.create(...)` makes it.
 */
export type PayloadValidator<Output = unknown> = {
  validate(data: any, options?: any): Promise<Output>
}

/**
 * Checks a payload as the worker will see it, that is after its way through JSON.
 *
 * @returns what the validator makes of it, which is what `this.payload` will be
 * @throws E_PAYLOAD_INVALID naming every field that does not fit
 */
export async function validatePayload<Output>(
  type: string,
  validator: PayloadValidator<Output>,
  payload: unknown
): Promise<Output> {
  try {
    return await validator.validate(payload)
  } catch (error) {
    throw new E_PAYLOAD_INVALID([type, explain(error)], { cause: error })
  }
}

/**
 * Writes a payload as the JSON that is enqueued.
 *
 * @param limit largest size in bytes
 * @throws E_PAYLOAD_NOT_SERIALISABLE, E_PAYLOAD_TOO_LARGE
 */
export function writePayload(type: string, payload: unknown, limit: number): string {
  const json = writtenPayload(type, payload)
  assertPayloadSize(type, json, limit)
  return json
}

/**
 * Checks what somebody wrote as JSON, and that stays as it was written, as a dispatch would: it may be nested too deep.
 *
 * @throws E_PAYLOAD_NOT_SERIALISABLE
 */
export function assertPayload(type: string, payload: unknown): void {
  writtenPayload(type, payload)
}

function writtenPayload(type: string, payload: unknown): string {
  try {
    return toJson(payload)
  } catch (error) {
    const reason =
      error instanceof NotSerialisableError
        ? error.reason
        : shown((error as Error)?.message ?? error, 1_000)
    throw new E_PAYLOAD_NOT_SERIALISABLE([type, reason], { cause: error })
  }
}

/** A number that is written with the digits given. */
const { rawJSON } = JSON as unknown as { rawJSON(digits: string): object }

/**
 * Reads a payload that somebody wrote as JSON. Whole numbers above 2^53 become objects that are written with the same digits again.
 *
 * @throws SyntaxError where it is no JSON, RangeError where it is nested too deep
 */
export function parseAsWritten(text: string): unknown {
  return JSON.parse(text, asWritten as (key: string, value: unknown) => unknown)
}

function asWritten(_key: string, value: unknown, { source }: { source: string }): unknown {
  const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value)
  return isRounded ? rawJSON(source) : value
}

/**
 * @param limit largest size in bytes
 * @throws E_PAYLOAD_TOO_LARGE
 */
export function assertPayloadSize(type: string, json: string, limit: number): void {
  /** A character has at most three bytes in UTF-8 per UTF-16 unit, so that small payloads need no count. */
  if (json.length * 3 <= limit) return
  const bytes = Buffer.byteLength(json)
  if (bytes > limit) throw new E_PAYLOAD_TOO_LARGE([type, bytes, limit])
}

function explain(error: unknown): string {
  const messages = (error as { messages?: unknown })?.messages
  if (Array.isArray(messages) && messages.length > 0) {
    return messages
      .map((entry: { message?: string; field?: string }) =>
        entry.field ? `${entry.message} ("${entry.field}")` : String(entry.message)
      )
      .join('; ')
  }
  return shown((error as Error)?.message ?? error, 1_000)
}
