import { cutText } from '../../cut_text.ts'
import type { EventTuple } from '../writer_types.ts'

/** Letters of one row: a longer list goes on in the next row, and every database takes this much. */
const MOST_LETTERS = 500_000

/** Letters that a text inside one change keeps where the change alone is longer than that. */
const LONGEST_DETAIL = 10_000

type EventRow = [seq: number, version: bigint, list: string]

/**
 * Adds the rows of `queuedeck_events` for what happened to one job in one batch, nearly always one: each a JSON list that is whole by
 * itself, in the order of their versions.
 *
 * Rows after the first take the versions that follow. No later batch uses them: each entry of this list has a version of its own,
 * and a row holds many of them.
 */
export function addEventRows(
  rows: EventRow[],
  seq: number,
  version: bigint,
  list: EventTuple[],
  most = MOST_LETTERS
): void {
  let given = 0n
  let text = ''
  for (const tuple of list) {
    let one = tupleText(tuple)
    if (one.length > most) one = tupleText(shortened(tuple))
    if (text.length + one.length > most && text !== '') {
      rows.push([seq, version + given++, `[${text}]`])
      text = ''
    }
    text += text === '' ? one : `,${one}`
  }
  rows.push([seq, version + given, `[${text}]`])
}

/** JSON of one change; most have no detail, and then putting it together is much faster than `JSON.stringify`. */
function tupleText([at, run, attempt, kind, detail]: EventTuple): string {
  const rest = detail === null || detail === undefined ? 'null' : JSON.stringify(detail)
  return `[${at},${run},${attempt},${kindText(kind)},${rest}]`
}

/** Kinds are the fold's own words, some twenty of them. */
const kindTexts = new Map<string, string>()

function kindText(kind: string): string {
  let text = kindTexts.get(kind)
  if (text === undefined) kindTexts.set(kind, (text = JSON.stringify(kind)))
  return text
}

function shortened([at, run, attempt, kind, detail]: EventTuple): EventTuple {
  const text = JSON.stringify(detail, (_key, value: unknown) =>
    typeof value === 'string' ? cutText(value, LONGEST_DETAIL) : value
  )
  return [at, run, attempt, kind, JSON.parse(text)]
}
