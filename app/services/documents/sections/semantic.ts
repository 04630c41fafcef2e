import { COMMON_WORDS } from '#services/taxonomy/common_words'
import { stemOf } from '#services/taxonomy/stems'
import type { SemanticOptions } from '../chunk_options.ts'
import { markdownBlockSteps } from '../markdown_blocks.ts'
import { sentencesIn, type Sentence } from './sentences.ts'

const DEFAULTS = { window: 3, sensitivity: 0.5 }

/** A heading is a sign of a new topic by itself: so much deeper is the valley in front of it. */
const HEADING = 0.25

/** However even a text is, a valley less deep than this is none: for the least and for the most sensitivity. */
const SHALLOWEST = { atMost: 0.7, atLeast: 0.1 }

/** Words of a sentence that count, at most: a line of a table may be long. */
const MOST_WORDS = 400

const WORD = /[\p{L}\p{M}\p{N}]{2,40}/gu

type Read = Sentence & { words: Map<number, number> }

/**
 * Where the topic shifts: the words of some sentences before each place are compared with those behind it, and where their
 * likeness has a valley that is deep enough a new section begins (after Hearst, "TextTiling", 1997). Same text, same places;
 * no model is asked.
 */
export function* shiftsOf(
  text: string,
  options: SemanticOptions
): Generator<void, { starts: number[]; sentences: number[] }> {
  const { window = DEFAULTS.window, sensitivity = DEFAULTS.sensitivity } = options
  const { read, rarity } = yield* readIn(text)
  const likeness: number[] = []
  for (let gap = 1; gap < read.length; gap++) {
    yield
    likeness.push(likenessAt(read, gap, window, rarity))
  }
  const depths = depthsOf(likeness).map((depth, at) =>
    read[at].kind === 'heading' || read[at + 1].kind === 'code'
      ? 0
      : depth + (read[at + 1].kind === 'heading' ? HEADING : 0)
  )
  yield
  const starts = deepest(depths, window, sensitivity).map((at) => read[at + 1].start)
  return { starts, sentences: read.map(({ start }) => start) }
}

function* readIn(text: string): Generator<void, { read: Read[]; rarity: number[] }> {
  const read: Read[] = []
  const numbers = new Map<string, number>()
  const holders: number[] = []
  for (const sentence of sentencesIn(text, yield* markdownBlockSteps(text))) {
    yield
    const words = new Map<number, number>()
    if (sentence.kind !== 'code') {
      for (const stem of stemsIn(text.slice(sentence.start, sentence.end))) {
        let number = numbers.get(stem)
        if (number === undefined) numbers.set(stem, (number = numbers.size))
        words.set(number, (words.get(number) ?? 0) + 1)
      }
    }
    for (const number of words.keys()) holders[number] = (holders[number] ?? 0) + 1
    read.push({ ...sentence, words })
  }
  return { read, rarity: holders.map((count) => Math.log(1 + read.length / count)) }
}

function* stemsIn(sentence: string): Generator<string> {
  let words = 0
  for (const [word] of sentence.matchAll(WORD)) {
    if (COMMON_WORDS.has(word.toLowerCase())) continue
    yield stemOf(word)
    if (++words === MOST_WORDS) return
  }
}

/** Cosine of the words before a gap and behind it, rare ones weighing more. */
function likenessAt(read: Read[], gap: number, window: number, rarity: number[]): number {
  const before = together(read, gap - window, gap)
  const behind = together(read, gap, gap + window)
  let [product, left, right] = [0, 0, 0]
  for (const [word, count] of before) {
    const weight = Math.log1p(count) * rarity[word]
    left += weight * weight
    product += weight * Math.log1p(behind.get(word) ?? 0) * rarity[word]
  }
  for (const [word, count] of behind) right += (Math.log1p(count) * rarity[word]) ** 2
  return product === 0 ? 0 : product / Math.sqrt(left * right)
}

function together(read: Read[], from: number, to: number): Map<number, number> {
  const all = new Map<number, number>()
  for (let at = Math.max(0, from); at < Math.min(read.length, to); at++) {
    for (const [word, count] of read[at].words) all.set(word, (all.get(word) ?? 0) + count)
  }
  return all
}

/** How far likeness rises on both sides of each gap; 0 where the gap is no valley. */
function depthsOf(likeness: number[]): number[] {
  const rise = likeness.map(() => 0)
  for (const forward of [true, false]) {
    let peak = 0
    for (let step = 0; step < likeness.length; step++) {
      const at = forward ? step : likeness.length - 1 - step
      const before = likeness[forward ? at - 1 : at + 1]
      /** The hill before this valley: it ends where likeness rises again. */
      peak = before === undefined || likeness[at] > before ? likeness[at] : Math.max(peak, before)
      rise[at] += peak - likeness[at]
    }
  }
  return rise
}

/** Gaps deeper than most, the deepest first, none so near another that no window fits between. */
function deepest(depths: number[], window: number, sensitivity: number): number[] {
  const valleys = depths.filter((depth) => depth > 0)
  if (valleys.length === 0) return []
  const mean = valleys.reduce((sum, depth) => sum + depth, 0) / valleys.length
  const spread = Math.sqrt(
    valleys.reduce((sum, depth) => sum + (depth - mean) ** 2, 0) / valleys.length
  )
  const least = Math.max(
    mean + (1.5 - 2 * sensitivity) * spread,
    SHALLOWEST.atMost - (SHALLOWEST.atMost - SHALLOWEST.atLeast) * sensitivity
  )
  const taken = new Uint8Array(depths.length)
  const order = [...depths.keys()]
    .filter((at) => depths[at] > 0 && depths[at] >= least)
    .sort((a, b) => depths[b] - depths[a] || a - b)
  const chosen: number[] = []
  for (const at of order) {
    if (taken[at] === 1) continue
    chosen.push(at)
    taken.fill(1, Math.max(0, at - window + 1), at + window)
  }
  return chosen.sort((a, b) => a - b)
}
