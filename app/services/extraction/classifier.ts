import type { Category } from '#services/documents/artifacts'
import type { Passage } from './passages.ts'

/**
 * What a classifier makes of a passage: its category, as its number in the taxonomy, or none; and how sure it is of any of them, 0
 * to 1.
 */
export type Opinion = { best: number | null; sure: (category: number) => number }

/**
 * One way to tell what a passage is about.
 */
export interface Classifier {
  /** As results name it. */
  name: string
  classify(passage: Passage, signal: AbortSignal): Opinion | Promise<Opinion>
}

/**
 * Whether one category is the other, or lies above or below it.
 */
export function sameBranch(one: Category, other: Category): boolean {
  return (
    one.id === other.id || one.id.startsWith(`${other.id}/`) || other.id.startsWith(`${one.id}/`)
  )
}
