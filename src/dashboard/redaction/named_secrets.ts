import type { JsonPiece } from './json_text.ts'
import type { SecretKeys } from './secret_keys.ts'

/** Members of an object in which the names of headers, fields and variables stand, and their values. */
const NAMES = new Set(['name', 'key', 'header', 'field'])
const VALUE = 'value'

/** Objects that say a name and a value are small. */
const MOST_MEMBERS = 8

/**
 * Where values begin whose secret keys are values themselves: `{ "name": "Authorization", "value": ... }` and, in a list of pairs,
 * `["Authorization", ...]`.
 */
export function namedSecrets(pieces: JsonPiece[], keys: SecretKeys): Set<number> {
  const found = new Set<number>()
  pieces.forEach(({ kind, text }, at) => {
    if (kind !== 'open') return
    const value = text === '{' ? valueOfNamed(pieces, at, keys) : valueOfPair(pieces, at, keys)
    if (value !== null) found.add(value)
  })
  return found
}

function valueOfNamed(pieces: JsonPiece[], open: number, keys: SecretKeys): number | null {
  let name: number | null = null
  let value: number | null = null
  for (
    let member = 0, at = open + 1;
    member < MOST_MEMBERS && pieces[at].kind === 'key';
    member++
  ) {
    const key = (JSON.parse(pieces[at].text) as string).toLowerCase()
    if (NAMES.has(key)) name ??= at + 2
    if (key === VALUE) value = at + 2
    /** What lies in another container is not looked through. */
    if (pieces[at + 2].kind === 'open') break
    at += pieces[at + 3].kind === 'comma' ? 4 : 3
  }
  return name !== null && value !== null && isSecret(pieces, name, value, keys) ? value : null
}

function valueOfPair(pieces: JsonPiece[], open: number, keys: SecretKeys): number | null {
  const before = pieces[open - 1]
  const isInList = before?.kind === 'comma' || before?.text === '['
  if (!isInList || pieces[open + 2]?.kind !== 'comma') return null
  const [name, value] = [open + 1, open + 3]
  const isPair = pieces[value].kind !== 'open' && pieces[value + 1].kind === 'close'
  return isPair && isSecret(pieces, name, value, keys) ? value : null
}

function isSecret(pieces: JsonPiece[], name: number, value: number, keys: SecretKeys): boolean {
  const { kind, text } = pieces[name]
  return kind === 'string' && keys.has(JSON.parse(text), pieces[value].kind === 'number')
}
