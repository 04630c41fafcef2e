import { InvalidInputException } from '../../errors.ts'
import { DEEPEST_PAYLOAD } from '../../jobs/serialise.ts'
import { joinJson, splitJson, type JsonPiece } from './json_text.ts'
import { maskedJson } from './redact.ts'
import type { SecretKeys } from './secret_keys.ts'
import { REDACTED } from './written_secrets.ts'

type Place = { start: number; end: number; name: string }

/** How a value may be shown that was put back: as it was, or as the stored payload shows it by itself. */
type Restored = { name: string; shown: string[] }

/**
 * Puts secrets back into a payload that was shown without them and then edited: wherever the text still says what was shown there, the
 * stored value takes its place. The text is not touched otherwise.
 *
 * @param shown  what was shown, `[redacted]` in place of secrets
 * @throws InvalidInputException when a `[redacted]` stands where nothing was hidden, was changed, or would not be hidden any more
 */
export function restoreSecrets(
  edited: string,
  shown: string,
  stored: string,
  keys: SecretKeys
): string {
  if (!edited.includes(REDACTED)) return edited
  const [pieces, before, hidden, own] = [edited, shown, stored, maskedJson(stored, keys)].map(
    splitJson
  )
  if (!pieces || !before || !hidden || !own) return edited
  const places = placesOf(pieces)
  const shownAt = placesOf(before)
  const hiddenAt = placesOf(hidden)
  const ownAt = placesOf(own)
  const put = new Map<number, JsonPiece[]>()
  const restored = new Map<string, Restored>()
  for (const [path, { start, end, name }] of places) {
    const { text } = pieces[start]
    if (end !== start + 1 || !text.includes(REDACTED)) continue
    const was = shownAt.get(path)
    const real = hiddenAt.get(path)
    const alone = ownAt.get(path)
    if (!was || !real || !alone || before[was.start].text !== text) {
      throw refused(name, 'nothing that was hidden belongs there: write the real value')
    }
    put.set(start, hidden.slice(real.start, real.end))
    restored.set(path, { name, shown: [text, own[alone.start].text] })
  }
  const json = joinJson(pieces.flatMap((piece, at) => put.get(at) ?? [piece]))
  assertHidden(json, restored, keys)
  return json
}

/**
 * What was hidden may be seen in what came of it only where the stored payload shows it by itself: there another text of the job had a
 * secret that it quotes, and the new job has not written that.
 */
function assertHidden(json: string, restored: Map<string, Restored>, keys: SecretKeys) {
  const pieces = splitJson(maskedJson(json, keys))!
  const places = placesOf(pieces)
  for (const [path, { name, shown }] of restored) {
    const place = places.get(path)
    if (!place || !shown.includes(pieces[place.start].text)) {
      throw refused(
        name,
        'what was hidden there would be seen: write the real value, or leave the key that hides it'
      )
    }
  }
}

function refused(name: string, why: string): InvalidInputException {
  return new InvalidInputException(
    `${name || 'The payload'} says ${REDACTED}, but ${why}`,
    'payload'
  )
}

/**
 * Where the value of each path begins and ends. In a path the key `a.b` is not `b` within `a`, nor the key `0` the first of a list; in
 * the names that people read they may be.
 */
function placesOf(pieces: JsonPiece[]): Map<string, Place> {
  if (pieces.some(({ depth }) => depth > DEEPEST_PAYLOAD)) {
    throw new InvalidInputException(
      `The payload is nested too deep: ${DEEPEST_PAYLOAD} levels are the most`,
      'payload'
    )
  }
  const places = new Map<string, Place>()
  let at = 0
  const visit = (path: string, name: string) => {
    const start = at
    const { kind, text } = pieces[at++]
    if (kind === 'open') {
      for (let index = 0; pieces[at].kind !== 'close'; index++) {
        if (pieces[at].kind === 'comma') at++
        let key: string | number = index
        if (text === '{') {
          key = JSON.parse(pieces[at].text) as string
          at += 2
        }
        visit(`${path}${JSON.stringify(key)},`, name === '' ? String(key) : `${name}.${key}`)
      }
      at++
    }
    places.set(path, { start, end: at, name })
  }
  visit('', '')
  return places
}
