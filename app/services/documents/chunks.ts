import { markdownBlocks } from './markdown_blocks.ts'
import { letterUnits, tokensOf, tokenUnits, type Unit } from './units.ts'

export type ChunkOptions = {
  strategy: 'token' | 'character'
  /** Longest chunk, in tokens of cl100k_base or in grapheme clusters. */
  size: number
  /** How much of its end a chunk shares with the next, at most; below `size`. */
  overlap: number
}

/**
 * One chunk: `text.slice(start, end)` of the document, with its number of tokens or characters.
 */
export type Chunk = { index: number; start: number; end: number; length: number; text: string }

/**
 * Cuts a text into overlapping windows. A letter larger than the size is a chunk of its own, fenced code that fits into one
 * chunk is never cut, and the last chunk always brings something new.
 */
export function chunksOf(text: string, options: ChunkOptions): Chunk[] {
  const units = options.strategy === 'token' ? tokenUnits(text, options.size) : letterUnits(text)
  const windows = new Windows(text, units, options)
  return windows.all().map(([from, to], index) => {
    const [start, end] = [units[from].start, units[to - 1].end]
    const part = text.slice(start, end)
    return {
      index,
      start,
      end,
      length: options.strategy === 'token' ? tokensOf(part) : to - from,
      text: part,
    }
  })
}

/**
 * Windows over units, as pairs of indices.
 */
class Windows {
  #fences: [from: number, to: number][]

  constructor(
    private text: string,
    private units: Unit[],
    private options: ChunkOptions
  ) {
    this.#fences = this.#findFences()
  }

  all(): [number, number][] {
    const windows: [number, number][] = []
    let start = 0
    let covered = 0
    while (covered < this.units.length) {
      let end = this.#fill(start)
      if (end <= covered) {
        /** The overlap leaves no room for what comes next. */
        start = covered
        end = this.#fill(start)
      }
      windows.push([start, end])
      covered = end
      start = this.#overlapOf(start, end)
    }
    return windows
  }

  /** End of the window that begins at `start`: at least one unit, and not inside a fence that fits. */
  #fill(start: number): number {
    let end = start
    let weight = 0
    while (end < this.units.length) {
      weight += this.units[end].weight
      if (weight > this.options.size && end > start) break
      end++
    }
    end = this.#shrink(start, end)
    const fence = this.#fenceAround(end)
    return fence !== undefined && fence[0] > start ? fence[0] : end
  }

  /** Tokens at the border of a piece may merge otherwise than inside the whole text, so the piece itself is counted. */
  #shrink(start: number, end: number): number {
    if (this.options.strategy !== 'token') return end
    while (end - start > 1) {
      const over = tokensOf(this.text.slice(this.units[start].start, this.units[end - 1].end))
      if (over <= this.options.size) break
      end--
    }
    return end
  }

  /** Where the next window begins: behind `start`, sharing at most the overlap, and not inside a fence that fits. */
  #overlapOf(start: number, end: number): number {
    let from = end
    let weight = 0
    while (from - 1 > start && weight + this.units[from - 1].weight <= this.options.overlap) {
      from--
      weight += this.units[from].weight
    }
    const fence = this.#fenceAround(from)
    return fence === undefined ? from : Math.min(fence[1], end)
  }

  #fenceAround(border: number): [number, number] | undefined {
    return this.#fences.find(([from, to]) => from < border && border < to)
  }

  #findFences(): [number, number][] {
    const fences: [number, number][] = []
    let unit = 0
    for (const block of markdownBlocks(this.text)) {
      if (block.kind !== 'code') continue
      while (unit < this.units.length && this.units[unit].end <= block.start) unit++
      let to = unit
      let weight = 0
      while (to < this.units.length && this.units[to].start < block.end) {
        weight += this.units[to].weight
        to++
      }
      if (weight <= this.options.size) fences.push([unit, to])
    }
    return fences
  }
}
