import { splitJson, type JsonPiece } from '../redaction/json_text.ts'
import type { EditPage, JobRow } from './types.ts'

/**
 * The form in which a payload is edited before it runs as a new job.
 *
 * @param payload  JSON without secrets, or what was typed last
 * @param error  why what was typed cannot be used
 */
export function editPage(
  row: JobRow,
  { payload, sensitive, error }: { payload: string; sensitive: boolean; error: string | null }
): EditPage {
  const pieces = error === null ? splitJson(payload) : null
  const text = pieces ? indented(pieces) : payload
  const refused = sensitive
    ? 'The payload of a sensitive job is not shown and cannot be edited. It can be run again as it is.'
    : row.runAgain.reason
  return {
    job: row,
    url: row.runAgain.url,
    backUrl: row.url,
    payload: text,
    rows: Math.min(30, Math.max(8, text.split('\n').length + 1)),
    hasHidden: text.includes('[redacted]'),
    error,
    refused,
  }
}

/** Each value on a line of its own, with the digits and the order of the text. */
function indented(pieces: JsonPiece[]): string {
  let text = ''
  pieces.forEach((piece, at) => {
    const newline = (depth: number) => (text += `\n${'  '.repeat(Math.min(depth, 40))}`)
    const wasOpened = pieces[at - 1]?.kind === 'open'
    if (piece.kind === 'close' && !wasOpened) newline(piece.depth)
    else if (wasOpened && piece.kind !== 'close') newline(piece.depth)
    text += piece.text
    if (piece.kind === 'colon') text += ' '
    if (piece.kind === 'comma') newline(piece.depth)
  })
  return text
}
