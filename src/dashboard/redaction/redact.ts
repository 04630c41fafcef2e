import { joinJson, splitJson, type JsonPiece } from './json_text.ts'
import type { SecretKeys } from './secret_keys.ts'

/**
 * What stands in the place of a secret, everywhere.
 */
export const REDACTED = '[redacted]'

const REDACTED_JSON = JSON.stringify(REDACTED)

/**
 * Secrets shorter than this are replaced under their key only: masking every `1` in a log line would tell more than it hides.
 */
const SHORTEST_MASKED = 3

/** Ends the texts that were cut before they were stored; none of them is longer. */
const CUT = '…'
const LONGEST_CUT = 16_384

/** Longer secrets are looked for one by one: a pattern with them may be too large to be made. */
const LONGEST_IN_PATTERN = 10_000

/**
 * A JSON text without its secrets, and the secrets, so that other texts of the same job can be masked.
 */
export type Redaction = { pieces: JsonPiece[] | null; text: string; secrets: string[] }

/**
 * Replaces every value under a secret key, at any depth, on the text itself.
 */
export function redactJson(text: string, keys: SecretKeys): Redaction {
  const pieces = splitJson(text)
  if (!pieces) return { pieces: null, text: maskPatterns(text, keys), secrets: [] }

  const kept: JsonPiece[] = []
  const secrets = new Set<string>()
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]
    kept.push(piece)
    if (piece.kind !== 'key') continue
    const value = pieces[i + 2]
    if (!keys.has(JSON.parse(piece.text), value.kind === 'number')) continue

    kept.push(pieces[i + 1])
    const end = value.kind === 'open' ? closing(pieces, i + 2) : i + 2
    for (const hidden of pieces.slice(i + 2, end + 1)) collect(hidden, secrets)
    kept.push({ kind: 'string', text: REDACTED_JSON, depth: value.depth })
    i = end
  }
  return { pieces: kept, text: joinJson(kept), secrets: [...secrets] }
}

/**
 * A JSON text without its secrets, neither under their keys nor where it quotes them.
 */
export function maskedJson(text: string, keys: SecretKeys): string {
  return new Mask(redactJson(text, keys).secrets, keys).json(text).text
}

function closing(pieces: JsonPiece[], open: number): number {
  const { depth } = pieces[open]
  let i = open + 1
  while (pieces[i].kind !== 'close' || pieces[i].depth !== depth) i++
  return i
}

function collect(piece: JsonPiece, secrets: Set<string>) {
  if (piece.kind === 'number') secrets.add(piece.text)
  if (piece.kind !== 'string') return
  const value: string = JSON.parse(piece.text)
  secrets.add(value)
  // `Authorization: Bearer x` is quoted elsewhere without its scheme.
  const credential = /^(?:bearer|basic|token|digest|apikey)\s+(\S+)$/i.exec(value.trim())
  if (credential) secrets.add(credential[1])
}

/**
 * Masks the secrets of one job wherever a text quotes them: logs, errors, stages, results. Compiled once for a job.
 */
export class Mask {
  #pattern: RegExp | null
  #forms: string[]
  #keys: SecretKeys

  constructor(secrets: Iterable<string>, keys: SecretKeys) {
    this.#keys = keys
    const forms = new Set<string>()
    for (const secret of secrets) {
      if (secret.length < SHORTEST_MASKED) continue
      for (const form of writtenForms(secret)) forms.add(form)
    }
    // The longest first, so that a secret which begins with another one goes whole.
    this.#forms = [...forms].sort((a, b) => b.length - a.length)
    const parts = this.#forms.filter((form) => form.length <= LONGEST_IN_PATTERN).map(toPattern)
    this.#pattern = parts.length > 0 ? new RegExp(parts.join('|'), 'g') : null
  }

  /**
   * A free text without the secrets and without what looks like `password=...`, a bearer token or a URL's password.
   */
  text(text: string): string {
    return maskPatterns(this.#withoutSecrets(this.#withoutBeginning(text)), this.#keys)
  }

  /**
   * A JSON text without what stands under secret keys and without the secrets: only its strings and keys are looked at, and it stays JSON.
   */
  json(stored: string): Redaction {
    const redaction = redactJson(stored, this.#keys)
    if (this.#forms.length === 0) return redaction
    if (!redaction.pieces) return { ...redaction, text: this.text(redaction.text) }
    const pieces = redaction.pieces.map((piece): JsonPiece => {
      if (piece.kind === 'number') {
        return this.#withoutSecrets(piece.text) === piece.text
          ? piece
          : { ...piece, kind: 'string', text: REDACTED_JSON }
      }
      if (piece.kind !== 'string' && piece.kind !== 'key') return piece
      // On the decoded value: the text of an escape (`\u0041`) must never be cut through.
      const value: string = JSON.parse(piece.text)
      const masked = this.#withoutSecrets(value)
      return masked === value ? piece : { ...piece, text: JSON.stringify(masked) }
    })
    return { ...redaction, pieces, text: joinJson(pieces) }
  }

  #withoutSecrets(text: string): string {
    let hidden = text
    for (const form of this.#forms) {
      if (form.length <= LONGEST_IN_PATTERN) break
      hidden = hidden.replaceAll(form, REDACTED)
    }
    return this.#pattern ? hidden.replace(this.#pattern, REDACTED) : hidden
  }

  /**
   * A text that was cut within a secret, without the beginning of it.
   */
  #withoutBeginning(text: string): string {
    if (!text.endsWith(CUT)) return text
    const end = text.length - CUT.length
    let from = end
    for (const form of this.#forms) {
      const start = form.slice(0, SHORTEST_MASKED)
      let at = text.indexOf(start, Math.max(0, end - Math.min(form.length, LONGEST_CUT)))
      while (at !== -1 && at < from && !form.startsWith(text.slice(at, end))) {
        at = text.indexOf(start, at + 1)
      }
      if (at !== -1 && at <= end - SHORTEST_MASKED) from = Math.min(from, at)
    }
    return from === end ? text : text.slice(0, from) + REDACTED + CUT
  }
}

/**
 * The same secret as different printers write it.
 */
function writtenForms(secret: string): string[] {
  const once = JSON.stringify(secret).slice(1, -1)
  const twice = JSON.stringify(once).slice(1, -1)
  const forms = [secret, once, twice, secret.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')]
  try {
    forms.push(encodeURIComponent(secret))
  } catch {
    // Half a surrogate pair has no form in an address.
  }
  return forms
}

function toPattern(form: string): string {
  const literal = form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  // Digits are masked as whole numbers only: the secret 4711 leaves 147112 alone.
  return /^\d+$/.test(form) ? `(?<![0-9])${literal}(?![0-9])` : literal
}

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
function maskPatterns(text: string, keys: SecretKeys): string {
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
