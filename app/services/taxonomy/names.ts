import { GERUNDS, NO_NAMES, setOf, VERBS } from './name_words.ts'
import type { WordForm } from './words.ts'

/** Words that stand before nouns, the first kind before nothing else, and such that stand before verbs. */
const DETERMINERS = setOf(
  'a an the this that these those each every any some no its your our their my another several'
)
const PREPOSITIONS = setOf('of for with from by in on as per via between into onto without')
const BEFORE_VERBS = setOf(
  'to can will must should would could may might shall cannot not you we they it i who which and then please let never always'
)
/** A name has nothing telling behind it in this share of its places at least: what has is an adjective or half a name. */
const LEAST_HEADS = 0.45
/** And a word of a sentence's frame, or nothing, in this share: behind `current` stands `value`, if not something more telling. */
const LEAST_ALONE = 0.3
/** And words of the first kinds in front of it in this share. */
const LEAST_NOUNS = 0.08
/** A word that may well be a verb, as `determining`, stands behind a determiner in this share. */
const LEAST_GERUNDS = 0.15

/** Words that end what stands before them: behind a noun stands one of these more often than another noun. */
export const FRAME = setOf(
  'a an the this that these those and or but nor so if when while where which who whose whom what why how than then as at by for from in into of off on onto out over per through to under until up upon via with within without about after before between during because since though although whether is are was were be been being am has have had do does did can could may might must shall should will would not no it its they them their you your we our i he she his her us me there here also only just even both either neither each any all some such'
)

/** How often a term is written so, and how it stands there. */
export type Form = {
  count: number
  /** Behind a determiner or a preposition; behind a determiner; behind what stands before verbs. */
  noun: number
  determined: number
  verb: number
  /** With nothing telling behind it; with nothing behind it but the frame of a sentence. */
  head: number
  alone: number
}

/** Where a word stands: the words before and behind it, if nothing stands between. */
export type Place = { before: WordForm | null; behind: WordForm | null }

/** Endings of adjectives and adverbs, and the possessive. */
const NO_NAME = /(ly|ed|ful|ous|ive|less|able|ible|i[sz]es|['’]s|-in|-like|-free|-based)$/

const FACTS = ['count', 'noun', 'determined', 'verb', 'head', 'alone'] as const

const NEVER: Form = { count: 0, noun: 0, determined: 0, verb: 0, head: 0, alone: 0 }

/** Counts one more place of a form. */
export function note(forms: Map<string, Form>, text: string, { before, behind }: Place): void {
  let form = forms.get(text)
  if (form === undefined) forms.set(text, (form = { ...NEVER }))
  form.count++
  if (before !== null) {
    const determined = DETERMINERS.has(before.lower)
    if (determined) form.determined++
    if (determined || PREPOSITIONS.has(before.lower)) form.noun++
    if (BEFORE_VERBS.has(before.lower)) form.verb++
  }
  if (behind === null || !behind.telling) form.head++
  if (behind === null || FRAME.has(behind.lower)) form.alone++
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
    const sum = folded.get(text.toLowerCase()) ?? { ...NEVER }
    for (const fact of FACTS) sum[fact] += form[fact]
    folded.set(text.toLowerCase(), sum)
  }
  const fit = [...folded].filter(([text, form]) => isName(key, text, form))
  const best = commonest(fit.length > 0 ? fit : [...folded])
  return {
    display: commonest([...forms].filter(([text]) => text.toLowerCase() === best)),
    names: fit.length > 0,
  }
}

function isName(key: string, text: string, form: Form): boolean {
  const { count, noun, determined, verb, head, alone } = form
  if (text.length < 3 || NO_NAME.test(text) || head < LEAST_HEADS * count) return false
  const last = text.slice(text.lastIndexOf(' ') + 1)
  if (NO_NAMES.has(last) || isVerb(last)) return false
  if (key.includes(' ')) return !/(ed|ing)\s/.test(text) || isNamed(text)
  if (alone < LEAST_ALONE * count) return false
  if (last.endsWith('ing') && !GERUNDS.has(last)) {
    return determined >= LEAST_GERUNDS * count && verb <= noun
  }
  return verb <= noun && noun >= LEAST_NOUNS * count
}

/** Whether a phrase begins with a gerund that names something, as in `logging level`. */
function isNamed(text: string): boolean {
  return GERUNDS.has(text.slice(0, text.indexOf(' ')))
}

/** Forms of verbs that are no nouns. */
function isVerb(word: string): boolean {
  if (VERBS.has(word)) return true
  return word.endsWith('s') && (VERBS.has(word.slice(0, -1)) || VERBS.has(word.slice(0, -2)))
}

function commonest(forms: [string, Form][]): string {
  return forms.sort(([a, m], [b, n]) => n.count - m.count || (a < b ? -1 : 1))[0][0]
}
