import { createReadStream } from 'node:fs'
import { JsonElements } from '#services/datasets/json_elements'
import type { Extract, Extraction } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'

/** Where the extracts begin: inside of a text its quotes would be escaped. */
const BEGIN = '"extracts":['

/** Longest extract, in UTF-16 units. */
const LONGEST = 40_000_000

/**
 * The extracts of a kept extraction one after another: tens of thousands of them are not in memory at once, nor parsed in one go.
 *
 * @throws DocumentProblem NOT_FOUND
 */
export async function* keptExtracts(path: string): AsyncGenerator<Extract> {
  const elements = new JsonElements(LONGEST, 'ignored')
  for await (const piece of behind(path)) {
    for (const { text } of elements.push(piece)) yield JSON.parse(text) as Extract
  }
}

/** What stands in front of the extracts, and nothing of them. */
export async function extractionHead(
  path: string
): Promise<Omit<Extraction, 'extracts' | 'rejected'>> {
  let head = ''
  for await (const piece of pieces(path)) {
    head += piece
    const at = head.indexOf(BEGIN)
    if (at !== -1) return JSON.parse(`${head.slice(0, at)}"end":0}`)
  }
  throw new DocumentProblem('NOT_FOUND', 'holds no extracts')
}

async function* behind(path: string): AsyncGenerator<string> {
  let head: string | null = ''
  for await (const piece of pieces(path)) {
    if (head === null) {
      yield piece
      continue
    }
    head += piece
    const at: number = head.indexOf(BEGIN)
    if (at === -1) continue
    yield head.slice(at + BEGIN.length - 1)
    head = null
  }
}

async function* pieces(path: string): AsyncGenerator<string> {
  try {
    for await (const piece of createReadStream(path, { encoding: 'utf8', highWaterMark: 65_536 })) {
      yield piece as string
    }
  } catch (cause) {
    throw new DocumentProblem('NOT_FOUND', 'is no extraction that can be read', { cause })
  }
}
