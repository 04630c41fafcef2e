import type { SecretKeys } from './secret_keys.ts'

/**
 * What stands in the place of a secret, everywhere.
 */
export const REDACTED = '[redacted]'

/**
 * What stands in front of a value: `password=`, `"apiKey": `, `token => `; within a text that is quoted itself, `\"apiKey\": `. A quote that
 * is not closed after the key is one in which the value stands as well.
 */
const KEY = /((?:\\{0,7}["'])?)([A-Za-z][A-Za-z0-9_.-]{1,60})(\1|)\s{0,4}(?:=>|[:=])\s{0,4}/g
/** In quotes: within a text that is quoted itself in those of one line, for a line's end is written as `\n` there. */
const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(\\{1,7}["'])[^\r\n]*?(?<!\\)\1/y
/** One word: that of a text which was cut within its quotes too. */
const WORD = /(?:\\{0,7}["'])?[^\s,;&"'<>{}[\]()]+/y
const LINE = /[^\r\n]+/y
/** From a quote on to its end, or that of the line. */
const IN_QUOTE = /(\\{0,7}["'])[^\r\n]*?(?=(?<!\\)\1|[\r\n]|$)/y
const OPENING_QUOTE = /^(?:\\{0,7}["'])?/
/** Headers whose values are several words: a scheme and its credentials, or many cookies. */
const HEADER = /(?:authorization|cookies?)$/i
/** What is stepped over to find the end of a list or an object. */
const STEP = new RegExp(String.raw`${QUOTED.source}|\\+["']?|[^[\]{}"'\\]+|[^]`, 'g')
/** A bracket that nothing closes is followed so far only, for every key may be followed by one: then the value ends with its line. */
const LONGEST_IN_BRACKETS = 2_000
const DEEPEST_BRACKETS = 8

const BEARER = /\b(bearer|basic)(\s{1,4})([A-Za-z0-9._~+/=-]{6,})/gi
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,200}):([^\s@/]{1,200})@/gi

/**
 * Hides secrets by how they are written. Linear in the text: every repetition above is bounded or cannot overlap.
 */
export function maskPatterns(text: string, keys: SecretKeys): string {
  return maskPairs(
    text.replace(BEARER, `$1$2${REDACTED}`).replace(URL_PASSWORD, `$1:${REDACTED}@`),
    keys
  )
}

/**
 * Takes only the values of secret keys whole: within any other value pairs may stand, as in `Error: password=...`.
 */
function maskPairs(text: string, keys: SecretKeys): string {
  let masked = ''
  let from = 0
  KEY.lastIndex = 0
  for (let pair = KEY.exec(text); pair; pair = KEY.exec(text)) {
    const at = KEY.lastIndex
    if (!keys.has(pair[2])) continue
    const value = valueOf(pair)
    if (!value || !keys.has(pair[2], /^-?\d+(\.\d+)?$/.test(value))) continue
    const edge = OPENING_QUOTE.exec(value)![0]
    masked += text.slice(from, at) + edge + REDACTED + edge
    from = KEY.lastIndex = at + value.length
  }
  return masked + text.slice(from)
}

function valueOf({ 0: pair, 1: quote, 2: key, 3: closed, index, input }: RegExpExecArray): string {
  const at = index + pair.length
  const isHeader = HEADER.test(key) && !/[\r\n]/.test(pair)
  if (isHeader && quote !== closed) return take(IN_QUOTE, input, index).slice(pair.length)
  return take(QUOTED, input, at) || inBrackets(input, at) || take(isHeader ? LINE : WORD, input, at)
}

function inBrackets(text: string, at: number): string {
  if (!/[[{]/.test(text.charAt(at))) return ''
  const part = text.slice(at, at + LONGEST_IN_BRACKETS)
  let depth = 0
  for (const { 0: step, index } of part.matchAll(STEP)) {
    if (step === '[' || step === '{') depth++
    if (step === ']' || step === '}') depth--
    if (depth === 0) return part.slice(0, index + 1)
    if (depth > DEEPEST_BRACKETS) break
  }
  return take(LINE, text, at)
}

function take(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}
