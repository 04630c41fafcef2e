import type { ChunkOptions } from '../chunk_options.ts'
import { isAlone } from '../letters.ts'
import type { Range } from '../windows.ts'
import { startsBehind } from './delimiter.ts'
import { startsByRules } from './schema.ts'
import { shiftsOf } from './semantic.ts'

export type Sections = {
  /** Where each section begins, in UTF-16 units, ascending, the first at 0. */
  starts: number[]
  /** Where a section that is longer than a chunk is better cut than elsewhere, ascending. */
  better: number[]
}

/**
 * The sections of a text that a strategy cuts it into. None begins inside of a fence, and none is of white space only.
 */
export function* sectionsOf(
  text: string,
  options: ChunkOptions,
  fences: Range[]
): Generator<void, Sections> {
  switch (options.strategy) {
    case 'semantic': {
      const { starts, sentences } = yield* shiftsOf(text, options)
      return { starts: solid(text, starts, fences), better: sentences }
    }
    case 'schema':
      return { starts: solid(text, yield* startsByRules(text, options), fences), better: [] }
    case 'delimiter':
      return {
        starts: solid(text, yield* startsBehind(text, options.delimiter), fences),
        better: [],
      }
    default:
      return { starts: text === '' ? [] : [0], better: [] }
  }
}

/** Without those inside of a fence or of a letter, and those that would make a section of white space. */
function solid(text: string, borders: number[], fences: Range[]): number[] {
  if (text === '') return []
  const starts = [0]
  let fence = 0
  let blank = endOfSpace(text, 0)
  for (const border of borders) {
    while (fence < fences.length && fences[fence][1] <= border) fence++
    const inFence = fence < fences.length && fences[fence][0] < border
    if (border <= blank || border >= text.length || inFence || joins(text, border)) continue
    starts.push(border)
    blank = endOfSpace(text, border)
  }
  if (starts.length > 1 && blank === text.length) starts.pop()
  return starts
}

function endOfSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at])) at++
  return at
}

/** Whether what stands at a border belongs to the letter before it. */
function joins(text: string, border: number): boolean {
  const [before, behind] = [text.charCodeAt(border - 1), text.charCodeAt(border)]
  if (isAlone(before) && isAlone(behind)) return before === 0x0d && behind === 0x0a
  const around = text.slice(Math.max(0, border - REACH), border + REACH)
  const at = Math.min(REACH, border)
  return segmenter.segment(around).containing(at)!.index !== at
}

/** A letter of more UTF-16 units on one side of a border is cut there. */
const REACH = 256

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })
