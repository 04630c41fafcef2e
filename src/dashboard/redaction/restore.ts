import { InvalidInputException } from '../../errors.ts'
import { DEEPEST_PAYLOAD } from '../../jobs/serialise.ts'
import { joinJson, splitJson, type JsonPiece } from './json_text.ts'
import { REDACTED } from './redact.ts'

/**
 * Puts secrets back into a payload that was shown without them and then edited: wherever the text still says what was shown there, the
 * stored value takes its place. The text is not touched otherwise.
 *
 * @param shown  what was shown, `[redacted]` in place of secrets
 * @throws InvalidInputException when a `[redacted]` stands where nothing was hidden, or was changed
 */
export function restoreSecrets(edited: string, shown: string, stored: string): string {
  if (!edited.includes(REDACTED)) return edited
  const [pieces, before, hidden] = [edited, shown, stored].map(splitJson)
  if (!pieces || !before || !hidden) return edited
  const places = placesOf(pieces)
  const shownAt = placesOf(before)
  const hiddenAt = placesOf(hidden)
  const put = new Map<number, JsonPiece[]>()
  for (const [path, [start, end]] of places) {
    const piece = pieces[start]
    if (end !== start + 1 || !piece.text.includes(REDACTED)) continue
    const was = shownAt.get(path)
    const real = hiddenAt.get(path)
    if (!was || !real || before[was[0]].text !== piece.text) {
      throw new InvalidInputException(
        `${path || 'The payload'} says ${REDACTED}, but nothing that was hidden belongs there: write the real value`,
        'payload'
      )
    }
    put.set(start, hidden.slice(...real))
  }
  return joinJson(pieces.flatMap((piece, at) => put.get(at) ?? [piece]))
}

/** Where the value of each path begins and ends. */
function placesOf(pieces: JsonPiece[]): Map<string, [start: number, end: number]> {
  if (pieces.some(({ depth }) => depth > DEEPEST_PAYLOAD)) {
    throw new InvalidInputException(
      `The payload is nested too deep: ${DEEPEST_PAYLOAD} levels are the most`,
      'payload'
    )
  }
  const places = new Map<string, [number, number]>()
  let at = 0
  const visit = (path: string) => {
    const start = at
    const { kind, text } = pieces[at++]
    if (kind === 'open') {
      for (let index = 0; pieces[at].kind !== 'close'; index++) {
        if (pieces[at].kind === 'comma') at++
        let name = String(index)
        if (text === '{') {
          name = JSON.parse(pieces[at].text) as string
          at += 2
        }
        visit(path === '' ? name : `${path}.${name}`)
      }
      at++
    }
    places.set(path, [start, at])
  }
  visit('')
  return places
}
