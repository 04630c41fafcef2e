import type { ChunkSet } from '#services/documents/artifacts'
import type { Turns } from '#services/documents/turns'
import { proseOf, type Section } from './prose.ts'
import type { Repeated } from './repeated.ts'
import type { WordForm } from './words.ts'

/** Marks of a word. */
export const IN_HEADING = 1
export const FOLLOWS = 2

/**
 * The words of one set of chunks in their order, a few bytes each: texts of many documents are read once and counted several times.
 */
export type ReadWords = {
  /** Of each word its number in the lexicon, its place in UTF-16 units, and its marks. */
  numbers: Int32Array
  starts: Int32Array
  marks: Uint8Array
  /** The passages: where each ends, as a number of words, and whether it is a heading. */
  passages: { end: number; heading: boolean }[]
  sections: Section[]
}

/**
 * Numbers words as they are written, and their stems.
 */
export class Lexicon {
  forms: WordForm[] = []
  /** The number of each form's stem; the text of each stem. */
  stems: number[] = []
  stemTexts: string[] = []
  #numbers = new Map<string, number>()
  #stemNumbers = new Map<string, number>()

  numberOf(form: WordForm): number {
    const known = this.#numbers.get(form.text)
    if (known !== undefined) return known
    const number = this.forms.length
    this.#numbers.set(form.text, number)
    this.forms.push(form)
    this.stems.push(this.stemNumber(form.stem))
    return number
  }

  stemNumber(stem: string): number {
    let number = this.#stemNumbers.get(stem)
    if (number === undefined) {
      number = this.stemTexts.length
      this.#stemNumbers.set(stem, number)
      this.stemTexts.push(stem)
    }
    return number
  }

  hashesOf(numbers: Int32Array): Int32Array {
    return numbers.map((number) => this.forms[number].hash)
  }
}

/** Reads the words of a set. */
export async function readWords(set: ChunkSet, lexicon: Lexicon, turns: Turns): Promise<ReadWords> {
  const [numbers, starts, marks]: number[][] = [[], [], []]
  const passages: ReadWords['passages'] = []
  const sections: Section[] = []
  for (const { words, section } of proseOf(sourceOf(set))) {
    if (turns.due()) await turns.give()
    const heading = section !== null
    for (const { form, start, follows } of words) {
      numbers.push(lexicon.numberOf(form))
      starts.push(start)
      marks.push((heading ? IN_HEADING : 0) | (follows ? FOLLOWS : 0))
    }
    if (words.length > 0) passages.push({ end: numbers.length, heading })
    if (heading) sections.push(section)
  }
  return {
    numbers: Int32Array.from(numbers),
    starts: Int32Array.from(starts),
    marks: Uint8Array.from(marks),
    passages,
    sections,
  }
}

/** Without the passages that several documents share; headings stay. */
export function withoutRepeated(read: ReadWords, repeated: Repeated, lexicon: Lexicon): ReadWords {
  const kept: ReadWords = {
    numbers: new Int32Array(read.numbers.length),
    starts: new Int32Array(read.numbers.length),
    marks: new Uint8Array(read.numbers.length),
    passages: [],
    sections: read.sections,
  }
  let [start, length] = [0, 0]
  for (const { end, heading } of read.passages) {
    const numbers = read.numbers.subarray(start, end)
    if (heading || !repeated.is(lexicon.hashesOf(numbers))) {
      kept.numbers.set(numbers, length)
      kept.starts.set(read.starts.subarray(start, end), length)
      kept.marks.set(read.marks.subarray(start, end), length)
      length += end - start
      kept.passages.push({ end: length, heading })
    }
    start = end
  }
  return {
    ...kept,
    numbers: kept.numbers.subarray(0, length),
    starts: kept.starts.subarray(0, length),
    marks: kept.marks.subarray(0, length),
  }
}

/** The text that the chunks were cut from, as far as they hold it; gaps become spaces. */
export function sourceOf(set: ChunkSet): string {
  let text = ''
  for (const chunk of set.chunks) {
    if (chunk.end <= text.length) continue
    text = text.padEnd(chunk.start) + chunk.text.slice(Math.max(0, text.length - chunk.start))
  }
  return text
}

/** The section in which a place lies; `sections` ascend. */
export function sectionAt(sections: Section[], offset: number): Section | undefined {
  let [low, high] = [0, sections.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sections[middle].start < offset) low = middle + 1
    else high = middle
  }
  return sections[low - 1]
}
