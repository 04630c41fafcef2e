import { DocumentProblem } from './document_problem.ts'

/**
 * Text of a file: UTF-8, or UTF-16 with its byte order mark. Lines end with a line feed, the mark is gone, and so are line
 * breaks at the end of the file.
 *
 * @throws DocumentProblem TEXT_ENCODING
 */
export function textOfBytes(bytes: Uint8Array): string {
  const text = decoder(bytes)
  if (text.includes('\u0000')) {
    throw new DocumentProblem('TEXT_ENCODING', 'holds NUL characters, so it is no text file')
  }
  return text.replace(/\r\n?/g, '\n').replace(/\n+$/, '')
}

function decoder(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new DocumentProblem(
      'TEXT_ENCODING',
      `is not ${encoding.toUpperCase()}: save it as UTF-8, or as UTF-16 with a byte order mark`,
      { cause }
    )
  }
}
