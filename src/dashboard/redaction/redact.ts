import { joinJson, splitJson, type JsonPiece } from './json_text.ts'
import { namedSecrets } from './named_secrets.ts'
import type { SecretKeys } from './secret_keys.ts'
import { maskPatterns, REDACTED } from './written_secrets.ts'

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
 * Replaces every value under a secret key, at any depth, on the text itself. Within all other texts what looks like a secret is hidden: they
 * may be addresses, headers, or JSON of their own.
 *
 * @param mask what else is shown of a text
 */
export function redactJson(
  text: string,
  keys: SecretKeys,
  mask: (text: string) => string = (value) => maskPatterns(value, keys)
): Redaction {
  const pieces = splitJson(text)
  if (!pieces) return { pieces: null, text: mask(text), secrets: [] }

  const kept: JsonPiece[] = []
  const secrets = new Set<string>()
  const named = namedSecrets(pieces, keys)
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]
    if (!named.has(i) && !isUnderSecretKey(pieces, i, keys)) {
      kept.push(piece.kind === 'string' ? masked(piece, mask) : piece)
      continue
    }
    const end = piece.kind === 'open' ? closing(pieces, i) : i
    for (const hidden of pieces.slice(i, end + 1)) collect(hidden, secrets)
    kept.push({ kind: 'string', text: REDACTED_JSON, depth: piece.depth })
    i = end
  }
  return { pieces: kept, text: joinJson(kept), secrets: [...secrets] }
}

/**
 * The values that stand under secret keys.
 */
export function secretsOf(text: string, keys: SecretKeys): string[] {
  return redactJson(text, keys, (value) => value).secrets
}

function isUnderSecretKey(pieces: JsonPiece[], at: number, keys: SecretKeys): boolean {
  if (pieces[at - 1]?.kind !== 'colon') return false
  return keys.has(JSON.parse(pieces[at - 2].text), pieces[at].kind === 'number')
}

/** On the decoded value: the text of an escape (`\u0041`) must never be cut through. */
function masked(piece: JsonPiece, mask: (text: string) => string): JsonPiece {
  const value: string = JSON.parse(piece.text)
  const shown = mask(value)
  return shown === value ? piece : { ...piece, text: JSON.stringify(shown) }
}

/**
 * A JSON text without its secrets, neither under their keys nor where it quotes them.
 */
export function maskedJson(text: string, keys: SecretKeys): string {
  return new Mask(secretsOf(text, keys), keys).json(text).text
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
  // `Authorization: Bearer x` is quoted elsewhere without its scheme, which is no secret where it stands by itself.
  const [, scheme, credential] =
    /^(bearer|basic|token|digest|apikey)(?:\s+(\S+))?$/i.exec(value.trim()) ?? []
  if (credential) secrets.add(credential)
  if (credential || !scheme) secrets.add(value)
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
   * A JSON text without what stands under secret keys and without what `text` hides: only its strings, numbers and keys are looked at, and it
   * stays JSON.
   */
  json(stored: string): Redaction {
    const redaction = redactJson(stored, this.#keys, (text) => this.text(text))
    if (this.#forms.length === 0 || !redaction.pieces) return redaction
    const pieces = redaction.pieces.map((piece): JsonPiece => {
      if (piece.kind === 'number') {
        return this.#withoutSecrets(piece.text) === piece.text
          ? piece
          : { ...piece, kind: 'string', text: REDACTED_JSON }
      }
      return piece.kind === 'key' ? masked(piece, (key) => this.#withoutSecrets(key)) : piece
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
