import type { ChunkOptions } from './chunk_options.ts'
import { unitOf } from './chunk_options.ts'
import { tokensOf } from './cl100k.ts'
import { lettersOf } from './letters.ts'
import { markdownBlockSteps } from './markdown_blocks.ts'
import { sectionsOf } from './sections/sections.ts'
import type { Turns } from './turns.ts'
import { Units } from './units.ts'
import { windowsOf, type Range } from './windows.ts'

export type { ChunkOptions } from './chunk_options.ts'

/**
 * One chunk: `text.slice(start, end)` of the document, with its number of tokens or characters.
 */
export type Chunk = { index: number; start: number; end: number; length: number; text: string }

/**
 * Cuts a text into chunks: into the sections that the strategy finds, and each of them into overlapping windows. A letter
 * larger than the size is a chunk of its own, fenced code that fits into one chunk is never cut, and each chunk brings
 * something new.
 */
export function chunksOf(text: string, options: ChunkOptions): Chunk[] {
  const steps = cut(text, options)
  for (;;) {
    const { value, done } = steps.next()
    if (done === true) return value
  }
}

/**
 * The same, letting others have their turn in between.
 */
export async function chunksInTurns(
  text: string,
  options: ChunkOptions,
  turns: Turns
): Promise<Chunk[]> {
  const steps = cut(text, options)
  for (;;) {
    const { value, done } = steps.next()
    if (done === true) return value
    if (turns.due()) await turns.give()
  }
}

function* cut(text: string, options: ChunkOptions): Generator<void, Chunk[]> {
  const { size, overlap } = options
  const kind = unitOf(options)
  const fences = yield* fencesOf(text, options)
  const { starts, better } = yield* sectionsOf(text, options, fences)
  const chunks: Chunk[] = []
  let [fence, border] = [0, 0]
  for (const [number, start] of starts.entries()) {
    const end = starts[number + 1] ?? text.length
    const units = yield* Units.of(text.slice(start, end), kind, size)
    const inside = { whole: [] as Range[], better: [] as number[] }
    for (; fence < fences.length && fences[fence][0] < end; fence++) {
      const [from, to] = fences[fence]
      if (from >= start) inside.whole.push([units.at(from - start), units.at(to - start)])
    }
    for (; border < better.length && better[border] < end; border++) {
      if (better[border] > start) inside.better.push(units.at(better[border] - start))
    }
    for (const [from, to] of windowsOf(units, { size, overlap, ...inside })) {
      const part: Range = [start + units.start(from), start + units.start(to)]
      chunks.push({
        index: chunks.length,
        start: part[0],
        end: part[1],
        length: units.count(from, to),
        text: text.slice(...part),
      })
      yield
    }
  }
  return chunks
}

/** Fenced code that fits into one chunk. */
function* fencesOf(text: string, options: ChunkOptions): Generator<void, Range[]> {
  const fences: Range[] = []
  if (!text.includes('```') && !text.includes('~~~')) return fences
  for (const { kind, start, end } of yield* markdownBlockSteps(text)) {
    if (kind !== 'code') continue
    const code = text.slice(start, end)
    const fits =
      code.length <= options.size ||
      (code.length <= options.size * LONGEST_UNIT &&
        (unitOf(options) === 'token' ? tokensOf(code) : lettersOf(code)) <= options.size)
    if (fits) fences.push([start, end])
  }
  return fences
}

/** Tokens and letters may be longer than this many UTF-16 units on average only in texts that nobody writes. */
const LONGEST_UNIT = 128
