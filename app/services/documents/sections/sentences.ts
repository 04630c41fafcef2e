import type { Block } from '../markdown_blocks.ts'

/** A sentence, a heading, or a block of code; offsets in UTF-16 units. */
export type Sentence = { start: number; end: number; kind: 'text' | 'heading' | 'code' }

const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' })

/** A full stop behind these ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|dr|mr|mrs|ms|prof|st|no|fig|approx|z\.\s?b|d\.\s?h|bzw|ca|vgl|nr)\.\s*$/i

const ITEM = /^[ \t]{0,40}(?:[-*+•]|\d{1,9}[.)])\s/

/** Longer paragraphs are taken in parts of this many UTF-16 units. */
const LONGEST_PARAGRAPH = 20_000

/**
 * The sentences of a Markdown text. A line that was only broken ends none; an item of a list does.
 */
export function* sentencesIn(text: string, blocks: Block[]): Generator<Sentence> {
  for (const { kind, start, end } of blocks) {
    if (kind === 'paragraph') {
      for (let from = start; from < end; from += LONGEST_PARAGRAPH) {
        yield* inParagraph(text.slice(from, Math.min(end, from + LONGEST_PARAGRAPH)), from)
      }
    } else {
      yield { kind: kind === 'heading' ? 'heading' : 'code', start, end }
    }
  }
}

function* inParagraph(paragraph: string, offset: number): Generator<Sentence> {
  let start = 0
  for (const flowing of itemsOf(paragraph)) {
    let end = start
    for (const { segment } of segmenter.segment(flowing.replaceAll('\n', ' '))) {
      end += segment.length
      if (ABBREVIATION.test(segment.slice(-12))) continue
      yield { kind: 'text', start: offset + start, end: offset + end }
      start = end
    }
    if (end > start) yield { kind: 'text', start: offset + start, end: offset + end }
    start = end
  }
}

/** A paragraph in parts that begin with the marks of an item; together they are the paragraph. */
function itemsOf(paragraph: string): string[] {
  const items: string[] = ['']
  for (const line of paragraph.split(/(?<=\n)/)) {
    if (ITEM.test(line)) items.push(line)
    else items[items.length - 1] += line
  }
  return items.filter((item) => item !== '')
}
