import { type Block, markdownBlockSteps } from '#services/documents/markdown_blocks'
import { isBoilerplateHeading, isBoilerplateText } from './common_words.ts'
import { formOf, type WordForm } from './words.ts'

/**
 * One word of a text: its place in UTF-16 units, how much it counts, and whether nothing but a space stands between it and the
 * word before.
 */
export type Word = { form: WordForm; start: number; weight: number; follows: boolean }

/** A heading and the text up to the next one. `path` are the titles of the headings above it and its own. */
export type Section = { start: number; path: string[] }

/** What one block says, and for a heading the section that it begins. */
export type Passage = { words: Word[]; section: Section | null }

/** A word in a heading counts as much as this many in a paragraph. */
export const HEADING_WEIGHT = 2.5

/**
 * What is no prose in Markdown, each with a text without which it cannot match; each pattern excludes its own first character
 * further on, so that none takes more than linear time. What they match is blanked out with the same length: offsets stay.
 */
const NOISE: [sign: string, pattern: RegExp][] = [
  /** Lines of a table of contents: they say what stands elsewhere. */
  ['… ', /^[^\n…]{1,300}… \d{1,5} *$/gm],
  ['<!--', /<!--(?:[^-]|-(?!->)){0,5000}-->/g],
  ['<', /<\/?[a-z][^<>\n]{0,1000}>/gi],
  ['![', /!\[[^[\]\n]{0,300}\](?:\([^()\n]{0,1000}\)|\[[^[\]\n]{0,300}\])?/g],
  [']:', /^ {0,3}\[[^[\]\n]{1,300}\]:[^\n]*$/gm],
  ['](', /\]\([^()\n]{0,1000}\)/g],
  ['][', /\]\[[^[\]\n]{0,300}\]/g],
  ['`', /`[^`\n]{0,500}`/g],
  ['://', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s<>")]{1,2000}/gi],
  ['&', /&[a-z0-9#]{2,10};/gi],
]

/** Runs without a space that are code, paths, addresses, numbers: nothing that a person would call a word. */
const CODE =
  /[\d_@#$%^*=+{}\\|<>~/]|[\p{L})]\.[\p{L}(]|\(\)|^\p{Ll}+\p{Lu}|^(?:\p{Lu}\p{Ll}+){3}|^-|::/u

/** Marks of emphasis, quotes and brackets around a word. */
const BEFORE = /^[("'[*_~“‘«]+/
const AFTER = /[.,;:!?"')\]*_~”’»]+$/

const WORD = /[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*/gu
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}]/u

/** What is longer is no word; UTF-16 units. */
const LONGEST_WORD = 40

/** Longer blocks are read in parts of about this many UTF-16 units, and longer runs without a space in parts. */
const PART = 16_384
const LONGEST_RUN = 2_048

/** Runs are remembered, so many at most, and those so short. */
const REMEMBERED = 100_000
const SHORT = 32

const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/** Comes where others may want a turn. */
const NOTHING: Passage = { words: [], section: null }

/**
 * The words of a Markdown text that tell what it is about. Code, addresses, badges, licenses and lists of authors are left out.
 * A passage without words comes in between, where others may want a turn.
 */
export function* proseOf(text: string): Generator<Passage> {
  let skipped: number | null = null
  const path: { level: number; title: string }[] = []
  const blocks = markdownBlockSteps(text)
  let step = blocks.next()
  for (; step.done !== true; step = blocks.next()) yield NOTHING
  for (const block of step.value) {
    if (block.kind === 'heading') {
      const level = block.level!
      if (skipped !== null && level <= skipped) skipped = null
      while (path.length > 0 && path.at(-1)!.level >= level) path.pop()
      const title = plain(block.title!)
      path.push({ level, title })
      if (skipped === null && isBoilerplateHeading(title)) skipped = level
      const section = { start: block.start, path: path.map((heading) => heading.title) }
      const words = skipped === null ? yield* wordsIn(text, block, HEADING_WEIGHT) : []
      yield { words, section }
      continue
    }
    if (skipped !== null || block.kind !== 'paragraph') continue
    if (isBoilerplateText(text.slice(block.start, block.end))) continue
    yield { words: yield* wordsIn(text, block, 1), section: null }
  }
}

/** The words of a title, say of a heading. */
export function wordsOfTitle(title: string): Word[] {
  const steps = wordsIn(title, { kind: 'paragraph', start: 0, end: title.length }, 1)
  for (;;) {
    const { value, done } = steps.next()
    if (done === true) return value
  }
}

function* wordsIn(text: string, { start, end }: Block, weight: number): Generator<Passage, Word[]> {
  const words: Word[] = []
  for (let from = start; from < end;) {
    const to = end - from <= PART ? end : borderNear(text, from + PART, end)
    yield* readPart(plain(text.slice(from, to)), from, weight, words)
    from = to
    if (from < end) yield NOTHING
  }
  return words
}

/** Where a line or a word ends behind a place, if one does soon. */
function borderNear(text: string, place: number, end: number): number {
  for (let at = place; at < Math.min(end, place + PART); at++) if (text[at] === '\n') return at
  for (let at = place; at < Math.min(end, place + PART); at++) {
    if (isSpace(text.charCodeAt(at))) return at
  }
  return Math.min(end, place + PART)
}

function* readPart(
  prose: string,
  offset: number,
  weight: number,
  words: Word[]
): Generator<Passage> {
  /** Behind the last word of this part; -1 where there is none that the next one may follow. */
  let last = -1
  for (let at = 0; at < prose.length;) {
    while (at < prose.length && isSpace(prose.charCodeAt(at))) at++
    let end = at
    while (end < prose.length && end - at < LONGEST_RUN && !isSpace(prose.charCodeAt(end))) end++
    if (end === at) break
    const found = wordsOfRun(prose.slice(at, end))
    if (found === null) last = -1
    else {
      for (const one of found) {
        const from = at + one.at
        words.push({
          form: one.form,
          start: offset + from,
          weight,
          follows: last !== -1 && from - last === 1,
        })
        last = from + one.form.text.length
      }
    }
    if (end - at === LONGEST_RUN) yield NOTHING
    at = end
  }
}

type Found = { form: WordForm; at: number }

const remembered = new Map<string, Found[] | null>()

/** The words of a run without a space, null where it is none of words. */
function wordsOfRun(run: string): Found[] | null {
  if (run.length > SHORT) return readRun(run)
  let found = remembered.get(run)
  if (found !== undefined) return found
  found = readRun(run)
  if (remembered.size >= REMEMBERED) remembered.clear()
  remembered.set(run, found)
  return found
}

function readRun(run: string): Found[] | null {
  const lead = BEFORE.exec(run)?.[0].length ?? 0
  const core = run.slice(lead).replace(AFTER, '')
  const spaceless = SPACELESS.test(core)
  if (CODE.test(core) || (core.length > LONGEST_WORD && !spaceless)) return null
  const found: Found[] = []
  if (spaceless) {
    for (const { segment, index, isWordLike } of segmenter.segment(core)) {
      if (isWordLike === true) found.push({ form: formOf(segment), at: lead + index })
    }
  } else {
    for (const match of core.matchAll(WORD)) {
      found.push({ form: formOf(match[0]), at: lead + match.index })
    }
  }
  return found
}

/** As `\s` has it. */
function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)
  return unit === 0xa0 || (unit >= 0x1680 && SPACES.has(unit))
}

const SPACES = new Set([
  0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a,
  0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
])

/** Same length, with marks for what is no prose. */
function plain(markdown: string): string {
  let prose = markdown
  for (const [sign, noise] of NOISE) {
    if (prose.includes(sign)) prose = prose.replace(noise, (found) => ' |'.padEnd(found.length))
  }
  return prose
}
