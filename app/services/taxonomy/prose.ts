import { markdownBlockSteps, type Block } from '#services/documents/markdown_blocks'
import { isBoilerplateHeading, isBoilerplateText } from './common_words.ts'

/**
 * One word of a text: its place in UTF-16 units, how much it counts, and whether nothing but a space stands between it and the
 * word before.
 */
export type Word = { text: string; start: number; weight: number; follows: boolean }

/** A heading and the text up to the next one. `path` are the titles of the headings above it and its own. */
export type Section = { start: number; path: string[] }

/** What one block says, and for a heading the section that it begins. */
export type Passage = { words: Word[]; section: Section | null }

/** A word in a heading counts as much as this many in a paragraph. */
const HEADING_WEIGHT = 2.5

/**
 * What is no prose in Markdown; each pattern excludes its own first character further on, so that none takes more than linear
 * time. What they match is blanked out with the same length: offsets stay.
 */
const NOISE: RegExp[] = [
  /<!--(?:[^-]|-(?!->)){0,5000}-->/g,
  /<\/?[a-z][^<>\n]{0,1000}>/gi,
  /!\[[^[\]\n]{0,300}\](?:\([^()\n]{0,1000}\)|\[[^[\]\n]{0,300}\])?/g,
  /^ {0,3}\[[^[\]\n]{1,300}\]:[^\n]*$/gm,
  /\]\([^()\n]{0,1000}\)/g,
  /\]\[[^[\]\n]{0,300}\]/g,
  /`[^`\n]{0,500}`/g,
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s<>")]{1,2000}/gi,
  /&[a-z0-9#]{2,10};/gi,
]

/** Runs without a space that are code, paths, addresses, numbers: nothing that a person would call a word. */
const CODE =
  /[\d_@#$%^*=+{}\\|<>~/]|[\p{L})]\.[\p{L}(]|\(\)|^\p{Ll}+\p{Lu}|^(?:\p{Lu}\p{Ll}+){3}|^-|::/u

/** Marks of emphasis, quotes and brackets around a word. */
const BEFORE = /^[("'[*_~“‘«]+/
const AFTER = /[.,;:!?"')\]*_~”’»]+$/

const WORD = /[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*/gu
const RUN = /\S+/g
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}]/u

/** What is longer is no word; UTF-16 units. */
const LONGEST_WORD = 40

const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/**
 * The words of a Markdown text that tell what it is about. Code, addresses, badges, licenses and lists of authors are left out.
 * A passage without words comes in between, where others may want a turn.
 */
export function* proseOf(text: string): Generator<Passage> {
  let skipped: number | null = null
  const path: { level: number; title: string }[] = []
  const blocks = markdownBlockSteps(text)
  let step = blocks.next()
  for (; step.done !== true; step = blocks.next()) yield { words: [], section: null }
  for (const block of step.value) {
    if (block.kind === 'heading') {
      const level = block.level!
      if (skipped !== null && level <= skipped) skipped = null
      while (path.length > 0 && path.at(-1)!.level >= level) path.pop()
      const title = plain(block.title!)
      path.push({ level, title })
      if (skipped === null && isBoilerplateHeading(title)) skipped = level
      const section = { start: block.start, path: path.map((heading) => heading.title) }
      yield { words: skipped === null ? wordsOf(text, block, HEADING_WEIGHT) : [], section }
      continue
    }
    if (skipped !== null || block.kind !== 'paragraph') continue
    if (isBoilerplateText(text.slice(block.start, block.end))) continue
    yield { words: wordsOf(text, block, 1), section: null }
  }
}

/** The words of a title, say of a heading. */
export function wordsOfTitle(title: string): Word[] {
  return wordsOf(title, { kind: 'paragraph', start: 0, end: title.length }, 1)
}

function wordsOf(text: string, { start, end }: Block, weight: number): Word[] {
  const prose = plain(text.slice(start, end))
  const words: Word[] = []
  let last = -1
  for (const run of prose.matchAll(RUN)) {
    const lead = BEFORE.exec(run[0])?.[0].length ?? 0
    const core = run[0].slice(lead).replace(AFTER, '')
    const spaceless = SPACELESS.test(core)
    if (CODE.test(core) || (core.length > LONGEST_WORD && !spaceless)) {
      last = -1
      continue
    }
    for (const { text: word, at } of spaceless ? segmented(core) : spaced(core)) {
      const from = run.index + lead + at
      words.push({
        text: word,
        start: start + from,
        weight,
        follows: last !== -1 && from - last === 1,
      })
      last = from + word.length
    }
  }
  return words
}

function* spaced(run: string) {
  for (const match of run.matchAll(WORD)) yield { text: match[0], at: match.index }
}

function* segmented(run: string) {
  for (const { segment, index, isWordLike } of segmenter.segment(run)) {
    if (isWordLike === true) yield { text: segment, at: index }
  }
}

/** Same length, with marks for what is no prose. */
function plain(markdown: string): string {
  let prose = markdown
  for (const noise of NOISE) prose = prose.replace(noise, (found) => ' |'.padEnd(found.length))
  return prose
}
