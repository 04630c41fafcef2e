import { extname } from 'node:path'
import type { MultipartFile } from '@adonisjs/core/bodyparser'
import { LARGEST_DOCUMENT } from '#services/documents/document_store'
import { EXTENSIONS } from '#services/documents/parsed_document'
import { shortened, size } from './words.ts'

/** Documents that may be sent at once. */
export const MOST_UPLOADS = 20

/** What a form field of files asks for. */
export const UPLOAD_RULES = {
  size: LARGEST_DOCUMENT,
  extnames: EXTENSIONS.map((extension) => extension.slice(1)),
}

/**
 * What is wrong with files that were sent, one sentence each, naming the file and what to do.
 */
export function refusalsOf(files: MultipartFile[]): { sound: MultipartFile[]; refusals: string[] } {
  if (files.length === 0) {
    return { sound: [], refusals: ['Choose one or more PDF, Markdown, HTML or text files first.'] }
  }
  if (files.length > MOST_UPLOADS) {
    const much = `${files.length} files are too many at once: send up to ${MOST_UPLOADS}, then the next.`
    return { sound: [], refusals: [much] }
  }
  const judged = files.map((file) => ({ file, refusal: refusalOf(file) }))
  return {
    sound: judged.flatMap(({ file, refusal }) => (refusal === null ? [file] : [])),
    refusals: judged.flatMap(({ refusal }) => refusal ?? []),
  }
}

function refusalOf(file: MultipartFile): string | null {
  const name = `“${shortened(file.clientName, 80)}”`
  const isHere = file.isValid || isHidden(file)
  if (isHere && file.tmpPath !== undefined && file.size > 0) return null
  if (file.size === 0) return `${name} is empty: choose a file with text in it.`
  switch (file.errors[0]?.type) {
    case 'extname':
      return `${name} is no document that can be read: save it as PDF, Markdown, HTML or text (${EXTENSIONS.join(', ')}).`
    case 'size':
      return `${name} has more than ${size(LARGEST_DOCUMENT)}: split it and send its parts.`
    default:
      return `${name} did not arrive whole: send it again.`
  }
}

/**
 * Whether only its beginning hides what it is: readers of PDF files pass over what stands before them, the framework does so in long ones.
 */
function isHidden({ extname: found, clientName, errors }: MultipartFile): boolean {
  const isNamed = EXTENSIONS.includes(extname(clientName).toLowerCase())
  return found === undefined && isNamed && errors.every(({ type }) => type === 'extname')
}
