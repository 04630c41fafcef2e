import { markdownBlocks } from '#services/documents/markdown_blocks'
import { isBoilerplateHeading, isBoilerplateText } from '#services/taxonomy/common_words'

/** One piece of a document that a person would read or copy. */
export type Piece =
  | { kind: 'heading'; text: string; level: number }
  | { kind: 'sentence'; text: string; paragraph: number }
  | { kind: 'item'; name: string; text: string }
  | { kind: 'code'; text: string; language: string }

/** Behind these no sentence ends. */
const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|incl|resp|no|fig|vol|pp?|ch|sec|eq|ed|dr|mr|mrs|ms|st)\.$/i

/** Sentences to those who might contribute, of which each README of a project holds the same. */
const TO_CONTRIBUTORS =
  /\blicen[sc]ed?\b|code of conduct|contribut(?:ing|ion) guide|vibrant community|pull requests?\b|open an issue|principles of the framework/i

/** A line of a table of contents: a title and its page. */
const CONTENTS = /(?:…|\.{3,}|(?:\. ){3,}) *(?:\d{1,5}|[ivxlc]{1,8}) *$/

const ITEM = /^\s{0,8}(?:[-*+]|\d{1,3}[.)])\s+(.*)$/
const NAMED_ITEM =
  /^`([^`\n]{1,60})`\s*(?:\([^()\n]{0,80}\)|<[^<>\n]{0,60}>)?\s*(?:[:–—]|-(?=\s))\s*(.{8,})$/

/**
 * A Markdown text as what stands in it: sentences without their marks, named items of lists, code. Badges, pictures, tables and
 * addresses are left out, and so are parts about licenses, conduct and thanks.
 */
export function piecesOf(markdown: string): Piece[] {
  const pieces: Piece[] = []
  let paragraph = 0
  let skipped: number | null = null
  for (const block of markdownBlocks(markdown)) {
    const text = markdown.slice(block.start, block.end)
    if (block.kind === 'heading') {
      if (skipped !== null && block.level! <= skipped) skipped = null
      if (skipped === null && isBoilerplateHeading(block.title!)) skipped = block.level!
      if (skipped !== null) continue
      pieces.push({ kind: 'heading', text: plainText(block.title!), level: block.level! })
    } else if (skipped !== null || isBoilerplateText(text)) {
      continue
    } else if (block.kind === 'code') {
      const { code, language } = fenced(text)
      if (code.trim() !== '') pieces.push({ kind: 'code', text: code, language })
    } else if (block.kind === 'paragraph') {
      paragraph++
      for (const one of itemsAndText(text)) {
        const named = one.item ? NAMED_ITEM.exec(one.text.trim()) : null
        if (named !== null) {
          pieces.push({ kind: 'item', name: named[1], text: plainText(named[2]) })
          continue
        }
        for (const sentence of sentencesOf(plainText(one.text))) {
          pieces.push({ kind: 'sentence', text: sentence, paragraph })
        }
        if (one.item) paragraph++
      }
    }
  }
  return pieces
}

/** What stands between the fences, without the room in front of them, and the language that the first one names. */
function fenced(block: string): { code: string; language: string } {
  const lines = block.split('\n')
  const [, marks = '', language = ''] =
    /^([-+*\d.) \t]{0,40})[`~]{3,}[ \t]*([\w+#-]{0,30})/.exec(lines[0]) ?? []
  const last = /^\s{0,40}[`~]{3}/.test(lines.at(-1)!) && lines.length > 1 ? -1 : undefined
  const room = new RegExp(`^[ \\t]{1,${Math.max(1, marks.length)}}`)
  const inside = lines.slice(1, last)
  const code = marks === '' ? inside : inside.map((line) => line.replace(room, ''))
  return { code: code.join('\n'), language }
}

/** Marks of Markdown and HTML, each with a text without which it cannot match, and what stands for them. */
const MARKS: [sign: string, pattern: RegExp, text: string][] = [
  ['![', /!\[[^[\]\n]{0,300}\](?:\([^()\n]{0,1000}\)|\[[^[\]\n]{0,300}\])?/g, ' '],
  [']:', /^ {0,3}\[[^[\]\n]{1,300}\]:[^\n]*$/gm, ' '],
  ['](', /\[([^[\]\n]{0,300})\]\([^()\n]{0,1000}\)/g, '$1'],
  ['][', /\[([^[\]\n]{0,300})\]\[[^[\]\n]{0,300}\]/g, '$1'],
  ['<', /<(https?:\/\/[^<>\s]{1,1000})>/g, '$1'],
  ['<', /<\/?[a-z][^<>\n]{0,1000}>/gi, ' '],
  ['*', /(?<![\w\\])(\*{1,3})(?=\S)([^*_\n]{1,500}?\S|\S)\1(?!\w)/g, '$2'],
  ['_', /(?<![\w\\])(_{1,3})(?=\S)([^*_\n]{1,500}?\S|\S)\1(?!\w)/g, '$2'],
  ['>', /^\s{0,3}>\s?/gm, ''],
  ['[!', /\[!(?:NOTE|TIP|WARNING|IMPORTANT|CAUTION)\]/g, ' '],
  [':', /:[a-z_+]{3,30}:(?=\s)/g, ' '],
  ['&', /&mdash;/g, '—'],
  ['&', /&nbsp;/g, ' '],
  ['&', /&amp;/g, '&'],
  ['&', /&lt;/g, '<'],
  ['&', /&gt;/g, '>'],
  ['&', /&quot;/g, '"'],
]

/**
 * A sign that is no mark, and code between single ticks, which holds no marks; each tick is followed by text without one, so it takes
 * linear time.
 */
const HELD_BACK = /(\\[!-/:-@[-`{-~]|`[^`\n]{1,500}`)/

/**
 * Text without the marks of Markdown and HTML, on one line. What stands between ticks stays as it is.
 */
export function plainText(markdown: string): string {
  const whole = markdown.replace(/<!--[^]{0,5000}?-->/g, ' ').replaceAll(HOLD, ' ')
  if (!/[`\\]/.test(whole)) return withoutMarks(whole).replace(/\s+/g, ' ').trim()
  /** Places hold such signs and what stands between ticks, so that marks around it are seen as they stand. */
  const kept: string[] = []
  const held = whole
    .split(HELD_BACK)
    .map((part, at) => {
      if (at % 2 === 0) return part
      return `${HOLD}${kept.push(part.startsWith('\\') ? part.slice(1) : part) - 1}${HOLD}`
    })
    .join('')
  return withoutMarks(held)
    .replace(HELD, (_, number: string) => kept[Number(number)] ?? '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Stands around the number of what is held; a character that no language has; texts lose it. */
const HOLD = '\ue000'
const HELD = /\ue000(\d+)\ue000/g

function withoutMarks(markdown: string): string {
  let text = markdown
  for (const [sign, mark, instead] of MARKS) {
    if (text.includes(sign)) text = text.replace(mark, instead)
  }
  return text
}

function* itemsAndText(text: string): Generator<{ text: string; item: boolean }> {
  let open: { text: string; item: boolean } | null = null
  for (const line of text.split('\n')) {
    if (CONTENTS.test(line.slice(-40))) continue
    if (
      /^\s*\|/.test(line) ||
      /^\s*[-|: ]{3,}$/.test(line) ||
      /^(?: {4}|\t)\s*[^\s*+-]/.test(line)
    ) {
      if (open !== null && !open.item) {
        yield open
        open = null
      }
      if (open === null) continue
    }
    const item = ITEM.exec(line)
    if (item !== null) {
      if (open !== null) yield open
      open = { text: item[1], item: true }
    } else if (open === null) open = { text: line, item: false }
    else open.text += `\n${line}`
  }
  if (open !== null) yield open
}

function* sentencesOf(text: string): Generator<string> {
  let from = 0
  for (const match of text.matchAll(/[.!?]["')\]]{0,2}(?=\s+[\p{Lu}\p{N}"'`(])/gu)) {
    const end = match.index + match[0].length
    if (ABBREVIATION.test(text.slice(from, end))) continue
    yield text.slice(from, end).trim()
    from = end
  }
  const rest = text.slice(from).trim()
  if (rest !== '') yield rest
}

/** Whether a sentence can stand alone: it ends, has words enough, and is prose rather than a list of names. */
export function isWholeSentence(text: string): boolean {
  if (!/[.!?]["'`)\]]?$/.test(text) || !/^["'`(]?[\p{Lu}\p{N}@`]/u.test(text)) return false
  const words = text.split(' ')
  if (words.length < 5 || words.length > 60) return false
  if (TO_CONTRIBUTORS.test(text)) return false
  if (/https?:\/\/|[{}<>|]|=>|\]\(/.test(text)) return false
  return (
    words.filter((word) => /^["'(]?[\p{L}][\p{L}'’-]*[.,;:!?)"']*$/u.test(word)).length >=
    words.length * 0.6
  )
}
