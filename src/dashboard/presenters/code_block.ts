import { cutText } from '../../cut_text.ts'
import { JsonText } from '../redaction/json_text.ts'
import { REDACTED } from '../redaction/written_secrets.ts'
import type { JsonPiece } from '../redaction/json_text.ts'
import type { Redaction } from '../redaction/redact.ts'
import type { CodeBlock, Token } from './types.ts'
import { bytes, count } from './format.ts'

/** More than this is not put into a page: the whole text has an address of its own. */
const LONGEST_BLOCK = 40_000
const LONGEST_STRING = 4_000
/** Containers up to this length stay on one line. */
const LONGEST_LINE = 64

/**
 * A redacted JSON text as highlighted tokens, indented, with its own digits and key order.
 */
export function codeBlock(
  title: string,
  stored: string,
  redaction: Redaction,
  url: string | null
): CodeBlock {
  const tokens = redaction.pieces ? pretty(redaction.pieces) : plain(redaction.text)
  const isCut = tokens.at(-1)?.kind === 'cut'
  return {
    title,
    tokens,
    size: bytes(Buffer.byteLength(stored)),
    cut: isCut,
    url: isCut ? url : null,
    text: tokens.map((token) => token.text).join(''),
  }
}

/**
 * For whole documents that are hidden: jobs dispatched as sensitive.
 */
export function redactedBlock(title: string, stored: string): CodeBlock {
  return {
    title,
    tokens: [{ kind: 'redacted', text: REDACTED }],
    size: bytes(Buffer.byteLength(stored)),
    cut: false,
    url: null,
    text: REDACTED,
  }
}

export function asJson(redaction: Redaction): JsonText {
  return new JsonText(redaction.text)
}

function plain(text: string): Token[] {
  if (text.length <= LONGEST_BLOCK) return [{ kind: 'plain', text }]
  const shown = cutText(text, LONGEST_BLOCK, '')
  return [{ kind: 'plain', text: shown }, more(text.length - shown.length)]
}

function more(characters: number): Token {
  return { kind: 'cut', text: `\n… ${count(characters)} more characters` }
}

function pretty(pieces: JsonPiece[]): Token[] {
  const tokens: Token[] = []
  const lengths = containerLengths(pieces)
  let written = 0
  /** Depth of the container that is written on one line; -1 for none. */
  let inline = -1

  const write = (kind: Token['kind'], text: string) => {
    const last = tokens.at(-1)
    if (last && last.kind === kind && kind === 'plain') last.text += text
    else tokens.push({ kind, text })
    written += text.length
  }
  const newline = (depth: number) => write('plain', `\n${'  '.repeat(Math.min(depth, 40))}`)

  for (const [i, piece] of pieces.entries()) {
    if (written > LONGEST_BLOCK) {
      const rest = pieces.slice(i).reduce((sum, { text }) => sum + text.length, 0)
      tokens.push(more(rest))
      return tokens
    }
    const empty = piece.kind === 'open' && pieces[i + 1].kind === 'close'
    switch (piece.kind) {
      case 'open':
        write('plain', piece.text)
        if (empty) break
        if (inline < 0 && piece.depth > 0 && lengths.get(i)! <= LONGEST_LINE) inline = piece.depth
        if (inline >= 0) write('plain', piece.text === '{' ? ' ' : '')
        else newline(piece.depth + 1)
        break
      case 'close': {
        const after = pieces[i - 1].kind === 'open'
        if (!after && inline >= 0) write('plain', piece.text === '}' ? ' ' : '')
        else if (!after) newline(piece.depth)
        write('plain', piece.text)
        if (inline === piece.depth) inline = -1
        break
      }
      case 'comma':
        write('plain', ',')
        if (inline >= 0) write('plain', ' ')
        else newline(piece.depth)
        break
      case 'colon':
        write('plain', ': ')
        break
      case 'string':
        if (JSON.parse(piece.text) === REDACTED) write('redacted', REDACTED)
        else
          write(
            'string',
            cutText(piece.text, LONGEST_STRING) + (piece.text.length > LONGEST_STRING ? '"' : '')
          )
        break
      default:
        write(piece.kind, piece.text)
    }
  }
  return tokens
}

/**
 * Length of each container's compact text, by the index of its opening piece.
 */
function containerLengths(pieces: JsonPiece[]): Map<number, number> {
  const lengths = new Map<number, number>()
  const open: { index: number; at: number }[] = []
  let position = 0
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'open') open.push({ index, at: position })
    position += piece.text.length
    if (piece.kind === 'close') {
      const container = open.pop()!
      lengths.set(container.index, position - container.at)
    }
  }
  return lengths
}
