import type { Extract } from '#services/documents/artifacts'

export type Entity = NonNullable<Extract['entities']>[number]

/** Entities of one passage, at most. */
const MOST = 200

/** A title is not longer, in UTF-16 units. */
const LONGEST_TITLE = 300

const UNITS =
  'ms|seconds?|minutes?|hours?|days?|weeks?|months?|years?|[kKMGT]i?B|bytes?|bits?|px|%|percent|MHz|GHz|Hz'
const MONTHS =
  'January|February|March|April|May|June|July|August|September|October|November|December'

/**
 * What is looked for, in this order: what one kind has taken the next cannot. Each pattern takes linear time.
 */
const KINDS: [kind: string, pattern: RegExp][] = [
  ['address', /\bhttps?:\/\/[^\s<>"'`)\]}]{1,2000}[^\s<>"'`)\]}.,;:!?]/gi],
  ['mail', /(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{2,63}){1,4}(?![\w@-])/gi],
  ['package', /(?<![\w@/.-])@[a-z0-9][a-z0-9._-]{0,60}\/[a-z0-9][a-z0-9._-]{0,60}(?<![.-])/g],
  [
    'version',
    /(?<![\w.-])(?:v\d{1,4}(?:\.\d{1,6}){1,2}|\d{1,4}\.\d{1,6}\.\d{1,6})(?:-[a-z0-9.]{1,30})?(?![\w-]|\.\d)/gi,
  ],
  ['date', /\b\d{4}-\d{2}-\d{2}\b/g],
  ['date', new RegExp(`\\b(?:\\d{1,2} )?(?:${MONTHS}) (?:\\d{1,2}, )?\\d{4}\\b`, 'g')],
  ['quantity', new RegExp(`(?<![\\w.-])\\d{1,12}(?:[.,]\\d{1,6})? ?(?:${UNITS})(?![\\w])`, 'g')],
  [
    'path',
    /(?<![\w`/.@:-])(?:\.{1,2}\/|\/|~\/)?(?:[\w.@-]{1,60}\/){1,12}[\w@-]{1,60}\.[a-z]{1,5}\b/g,
  ],
  ['code', /(?<=`)[^`\n]{1,80}(?=`)/g],
  [
    'name',
    /(?<![\p{L}\p{N}_`@/.-])(?:\p{Lu}[\p{L}\p{N}]{0,29}(?:\.js|\+\+|#)?)(?: (?:\p{Lu}[\p{L}\p{N}]{0,29}(?:\.js)?)){0,3}(?![\p{L}\p{N}_(])/gu,
  ],
]

/** A single word with a capital is a name only where it cannot be the beginning of a sentence, or is written like one. */
const WRITTEN_AS_NAME = /^\p{Lu}{2,}\d*s?$|\p{Ll}\p{Lu}|\.js$|\+\+$|#$| /u

/**
 * What a text names: addresses, packages, versions, dates, quantities, paths, code and names. Offsets count from `offset`.
 */
export function entitiesOf(text: string, offset: number): Entity[] {
  const taken = new Uint8Array(text.length)
  const odd = oddTicks(text)
  const entities: Entity[] = []
  for (const [kind, pattern] of KINDS) {
    for (const { 0: found, index } of text.matchAll(pattern)) {
      const end = index + found.length
      if (taken[index] === 1 || taken[end - 1] === 1) continue
      if (kind === 'code' && odd[index] === 0) continue
      if (kind === 'name' && !isName(text, found, index)) continue
      taken.fill(1, index, end)
      entities.push({ kind, text: found, start: offset + index, end: offset + end })
    }
  }
  return entities.sort((a, b) => a.start - b.start).slice(0, MOST)
}

function isName(text: string, found: string, index: number): boolean {
  if (WRITTEN_AS_NAME.test(found)) return !startsHeading(text, index) || !found.includes(' ')
  const before = text.slice(Math.max(0, index - 3), index)
  return found.length > 2 && /[\p{Ll},] $/u.test(before)
}

/** Titles are written with capitals: what stands in one is no name for that. */
function startsHeading(text: string, index: number): boolean {
  const near = text.slice(Math.max(0, index - LONGEST_TITLE), index)
  const line = near.slice(near.lastIndexOf('\n') + 1)
  return /^\s{0,3}#/.test(line) || line.trim() === ''
}

/** For each place 1 where an odd number of ticks stands in front of it on its line: between two pieces of code stands none. */
function oddTicks(text: string): Uint8Array {
  const odd = new Uint8Array(text.length)
  for (let at = 1; at < text.length; at++) {
    const before = text[at - 1]
    odd[at] = before === '\n' ? 0 : before === '`' ? 1 - odd[at - 1] : odd[at - 1]
  }
  return odd
}
