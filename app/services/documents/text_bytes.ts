import { Buffer, isUtf8 } from 'node:buffer'
import { atOnce, type Steps } from './breather.ts'
import { DocumentProblem } from './document_problem.ts'

/** Bytes that are decoded in one step. */
const STEP = 1_048_576

type Encoding = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE'

/**
 * Text of a file: UTF-8, or UTF-16 with its byte order mark. Lines end with a line feed, marks are gone, those in the middle of
 * files that were put together too, and so are line breaks at the end of the file.
 *
 * @throws DocumentProblem TEXT_ENCODING
 */
export function textOfBytes(bytes: Uint8Array): string {
  return atOnce(textSteps(bytes))
}

/** The same in steps of about a megabyte. */
export function* textSteps(bytes: Uint8Array): Steps<string> {
  const [encoding, mark] = encodingOf(bytes)
  const all = Buffer.from(bytes.buffer, bytes.byteOffset + mark, bytes.byteLength - mark)
  const parts: string[] = []
  /** A carriage return at the end of a part may belong to a line feed that begins the next. */
  let held = ''
  for (let start = 0; start < all.length;) {
    const end = borderBefore(all, start + STEP, encoding)
    const part = held + decoded(all.subarray(start, end), encoding)
    held = end < all.length && part.endsWith('\r') ? '\r' : ''
    parts.push(withoutMarks(withLineFeeds(held === '' ? part : part.slice(0, -1))))
    start = end
    yield
  }
  return withoutLastBreaks(parts.join(''))
}

function encodingOf(bytes: Uint8Array): [Encoding, mark: number] {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return ['UTF-16LE', 2]
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return ['UTF-16BE', 2]
  return ['UTF-8', bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0]
}

/** The last border between two characters at or before `at`. */
function borderBefore(bytes: Buffer, at: number, encoding: Encoding): number {
  if (at >= bytes.length) return bytes.length
  if (encoding === 'UTF-8') {
    let border = at
    while (border > at - 4 && (bytes[border] & 0xc0) === 0x80) border--
    return border
  }
  const high = encoding === 'UTF-16LE' ? bytes[at - 1] : bytes[at - 2]
  return (high & 0xfc) === 0xd8 ? at - 2 : at
}

function decoded(bytes: Buffer, encoding: Encoding): string {
  const text = encoding === 'UTF-8' ? utf8(bytes) : utf16(bytes, encoding)
  if (text === null) {
    throw new DocumentProblem(
      'TEXT_ENCODING',
      `is not ${encoding}: save it as UTF-8, or as UTF-16 with a byte order mark`
    )
  }
  if (text.includes('\u0000')) {
    throw new DocumentProblem(
      'TEXT_ENCODING',
      'holds NUL characters: it is no text, or UTF-16 without a byte order mark'
    )
  }
  return text
}

function utf8(bytes: Buffer): string | null {
  return isUtf8(bytes) ? bytes.toString('utf8') : null
}

/** Half a surrogate pair is no character, so a text with one is not in this encoding. */
function utf16(bytes: Buffer, encoding: Encoding): string | null {
  if (bytes.length % 2 === 1) return null
  const little = encoding === 'UTF-16LE' ? bytes : Buffer.from(bytes).swap16()
  const text = little.toString('utf16le')
  return text.isWellFormed() ? text : null
}

function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

/** Such a mark in front of a heading would hide it. */
function withoutMarks(text: string): string {
  return text.includes('\ufeff') ? text.replaceAll('\ufeff', '') : text
}

function withoutLastBreaks(text: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === '\n') end--
  return text.slice(0, end)
}
