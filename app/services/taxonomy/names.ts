import type { WordForm } from './words.ts'

/** Words that stand before nouns, and such that stand before verbs. */
const BEFORE_NOUNS = new Set(
  'a an the this that these those each every any some no of for with from by in on as its your our their my per via between'.split(
    ' '
  )
)
const BEFORE_VERBS = new Set(
  'to can will must should would could may might shall cannot not you we they it i who which and then please let never always'.split(
    ' '
  )
)
/** A name has nothing telling behind it in this share of its places at least: what has is an adjective or half a name. */
const LEAST_HEADS = 0.45
/** And words of this kind in front of it in this share. */
const LEAST_NOUNS = 0.08
/** More of it where the word may well be a verb, as `determining`. */
const LEAST_GERUNDS = 0.2

/** How often a term is written so, and how it stands there. */
export type Form = { count: number; noun: number; verb: number; head: number }

/** Where a word stands: the word before it, if nothing stands between, and whether it ends what names a thing. */
export type Place = { before: WordForm | null; head: boolean }

/** Counts one more place of a form. */
export function note(forms: Map<string, Form>, text: string, { before, head }: Place): void {
  let form = forms.get(text)
  if (form === undefined) forms.set(text, (form = { count: 0, noun: 0, verb: 0, head: 0 }))
  form.count++
  if (before !== null && BEFORE_NOUNS.has(before.lower)) form.noun++
  if (before !== null && BEFORE_VERBS.has(before.lower)) form.verb++
  if (head) form.head++
}

/**
 * The commonest form that may name a category, else the commonest of all; a capital that most of its places have stays, as in
 * `Redis` or `SQL`.
 */
export function displayOf(
  key: string,
  forms: Map<string, Form>
): { display: string; names: boolean } {
  const folded = new Map<string, Form>()
  for (const [text, form] of forms) {
    const sum = folded.get(text.toLowerCase()) ?? { count: 0, noun: 0, verb: 0, head: 0 }
    for (const fact of ['count', 'noun', 'verb', 'head'] as const) sum[fact] += form[fact]
    folded.set(text.toLowerCase(), sum)
  }
  const fit = [...folded].filter(([text, form]) => isName(key, text, form))
  const best = commonest(fit.length > 0 ? fit : [...folded])
  return {
    display: commonest([...forms].filter(([text]) => text.toLowerCase() === best)),
    names: fit.length > 0,
  }
}

function isName(key: string, text: string, { count, noun, verb, head }: Form): boolean {
  if (text.length < 3 || /(ly|ed|ful|ous|ive|less|able|ible|i[sz]es)$/.test(text)) return false
  if (/(ed|ing)\s/.test(text) || head < LEAST_HEADS * count) return false
  if (key.includes(' ')) return true
  const least = text.endsWith('ing') ? LEAST_GERUNDS : LEAST_NOUNS
  return verb <= noun && noun >= least * count
}

function commonest(forms: [string, Form][]): string {
  return forms.sort(([a, m], [b, n]) => n.count - m.count || (a < b ? -1 : 1))[0][0]
}
