/**
 * One example of a dataset: an object as JSON holds it. Numbers whose digits a double cannot hold stand as `JSON.rawJSON`.
 */
export type Example = Record<string, unknown>

/** What TypeScript does not know yet of ECMAScript 2026 (JSON.parse source text access). */
type ExactJson = {
  rawJSON(text: string): { rawJSON: string }
  isRawJSON(value: unknown): value is { rawJSON: string }
  parse(
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown
  ): unknown
}

const exact = JSON as unknown as ExactJson

/** Only such numbers may lose something as a double: long ones, and those with a large exponent. */
const MAY_LOSE = /\d{16}|\d[eE]\+?\d{3}/

/**
 * Parses JSON so that writing it again gives every whole number with the digits it came with.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  if (!MAY_LOSE.test(text)) return JSON.parse(text)
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && loses(value, source)
      ? exact.rawJSON(source)
      : value
  )
}

/** Digits of a number that is kept exactly, null of any other value. */
export function exactDigits(value: unknown): string | null {
  return exact.isRawJSON(value) ? value.rawJSON : null
}

export function isExample(value: unknown): value is Example {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    exactDigits(value) === null
  )
}

function loses(value: number, source: string): boolean {
  return !Number.isFinite(value) || (/^-?\d+$/.test(source) && !Number.isSafeInteger(value))
}
