import { COMMON_WORDS } from './common_words.ts'
import { stemOf } from './stems.ts'

/**
 * What is known of a word as it is written, wherever it stands.
 */
export type WordForm = {
  text: string
  lower: string
  stem: string
  /** Whether it says something of what a text is about. */
  telling: boolean
  /** Of its letters, capitals as small ones. */
  hash: number
}

/** Forms are remembered, so many at most: texts repeat their words, and looking at one costs far more than finding it again. */
const REMEMBERED = 100_000

const forms = new Map<string, WordForm>()

/** The form of a word; the same object mostly, but not always, for the same text. */
export function formOf(text: string): WordForm {
  let form = forms.get(text)
  if (form !== undefined) return form
  const lower = text.toLowerCase()
  form = { text, lower, stem: stemOf(text), telling: isTelling(text, lower), hash: hashOf(text) }
  if (forms.size >= REMEMBERED) forms.clear()
  forms.set(text, form)
  return form
}

function isTelling(text: string, lower: string): boolean {
  const plain = lower.replaceAll('’', "'")
  return text.length > 1 && !COMMON_WORDS.has(plain) && !COMMON_WORDS.has(plain.replace(/'s$/, ''))
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let unit = 0; unit < text.length; unit++) {
    hash = Math.imul(hash ^ (text.charCodeAt(unit) | 0x20), 0x01000193)
  }
  return hash
}
