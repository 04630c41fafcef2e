import type { UnitKind } from './units.ts'

/** A place where a chunk may begin, for the strategy `schema`. */
export type ChunkRule =
  /** At each match of an RE2 expression, line by line. */
  | { pattern: string }
  /** Behind each of these texts. */
  | { delimiter: string }
  /** At each heading of this level or above, 1 to 6. */
  | { heading: number }

/** By tokens of cl100k_base, or by characters (grapheme clusters). */
export type UnitOptions = { strategy: UnitKind }

/** Where the topic shifts. */
export type SemanticOptions = Counted & {
  strategy: 'semantic'
  /** Sentences before and behind a place that are compared; 3 where it is left out. */
  window?: number
  /** 0 cuts only at the sharpest shifts, 1 at slight ones too; 0.5 where it is left out. */
  sensitivity?: number
}

/** Where rules say so. */
export type SchemaOptions = Counted & {
  strategy: 'schema'
  rules: ChunkRule[]
  /** Whether one rule is enough (`any`, where it is left out) or all must meet at the same place. */
  combine?: 'any' | 'all'
}

/** Behind each of these texts. */
export type DelimiterOptions = Counted & { strategy: 'delimiter'; delimiter: string }

/** What `size` and `overlap` count where the strategy is not named after it; characters where it is left out. */
type Counted = { unit?: UnitKind }

/**
 * How a text is cut. For all strategies: `size` is the longest chunk and `overlap`, below `size`, how much of its end a chunk
 * shares with the next, at most, where two chunks are only apart because of the size.
 */
export type ChunkOptions = { size: number; overlap: number } & (
  UnitOptions | SemanticOptions | SchemaOptions | DelimiterOptions
)

/** What `size` and `overlap` count. */
export function unitOf(options: ChunkOptions): UnitKind {
  if ('unit' in options && options.unit !== undefined) return options.unit
  return options.strategy === 'token' ? 'token' : 'character'
}
