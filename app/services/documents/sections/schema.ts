import type { ChunkRule, SchemaOptions } from '../chunk_options.ts'
import { linearPattern } from '../linear_pattern.ts'
import { type Block, markdownBlockSteps } from '../markdown_blocks.ts'

/**
 * Where any of the rules begins a chunk, or where all of them do. Rules meet at the same place when nothing but line ends and
 * blank lines is between their borders.
 */
export function* startsByRules(text: string, options: SchemaOptions): Generator<void, number[]> {
  let starts: Set<number> | null = null
  for (const rule of options.rules) {
    const found = new Set<number>()
    const space = new Space(text)
    const blocks = 'heading' in rule ? yield* markdownBlockSteps(text) : []
    for (const border of bordersOf(text, rule, blocks)) {
      yield
      if (border !== null) found.add(space.behindBlankLines(border))
    }
    if (starts === null) starts = found
    else starts = options.combine === 'all' ? starts.intersection(found) : starts.union(found)
  }
  return [...(starts ?? [])].sort((a, b) => a - b)
}

/** `null` means: nothing here, but others may want a turn. */
function bordersOf(text: string, rule: ChunkRule, blocks: Block[]): Iterable<number | null> {
  if ('pattern' in rule) return matchesOf(text, rule.pattern)
  if ('delimiter' in rule) return endsOf(text, rule.delimiter)
  return headingsOf(blocks, rule.heading)
}

function* matchesOf(text: string, source: string): Generator<number | null> {
  const pattern = linearPattern(source)
  for (let start = 0; start <= text.length;) {
    const feed = text.indexOf('\n', start)
    const end = Math.min(feed === -1 ? text.length : feed, start + pattern.longest)
    /** The return of a Windows line end is none of the line's letters: "$" stands in front of it. */
    const last = end === feed && text[end - 1] === '\r' ? end - 1 : end
    for (const at of pattern.starts(text.slice(start, last))) yield start + at
    yield null
    start = end === feed || end === text.length ? end + 1 : end
  }
}

function* endsOf(text: string, delimiter: string): Generator<number | null> {
  for (let at = text.indexOf(delimiter); at !== -1; at = text.indexOf(delimiter, at)) {
    at += delimiter.length
    yield at
  }
}

function* headingsOf(blocks: Block[], level: number): Generator<number | null> {
  for (const block of blocks) {
    yield block.kind === 'heading' && block.level! <= level ? block.start : null
  }
}

/** Remembers the last run of white space: many borders may lie in a long one. */
class Space {
  #end = 0
  #start = 0

  constructor(private text: string) {}

  /** Where the first line begins behind a border that is not blank; the border itself where its line goes on. Asked ascending. */
  behindBlankLines(border: number): number {
    if (border >= this.#end) {
      this.#end = this.#start = border
      while (this.#end < this.text.length && /\s/.test(this.text[this.#end])) {
        if (this.text[this.#end++] === '\n') this.#start = this.#end
      }
    }
    return Math.max(border, this.#start)
  }
}
