import type { Word } from './prose.ts'

/** Words in a row that are compared. */
const ROW = 5
/** Documents that share a row of words at least, for it to be repeated. */
const DOCUMENTS = 4
/** Share of a paragraph's rows that are repeated, for it to be. */
const SHARE = 0.4

/**
 * Finds paragraphs that several documents share, be it with other names in them: what is said of all tells nothing of one.
 */
export class Repeated {
  /** Documents that hold a row, by the row's hash; at most as many as matter. */
  #documents = new Map<number, string[]>()

  add(words: Word[], source: string): void {
    for (const row of rowsOf(words)) {
      const documents = this.#documents.get(row)
      if (documents === undefined) this.#documents.set(row, [source])
      else if (documents.length < DOCUMENTS && !documents.includes(source)) documents.push(source)
    }
  }

  is(words: Word[]): boolean {
    let [rows, repeated] = [0, 0]
    for (const row of rowsOf(words)) {
      rows++
      if ((this.#documents.get(row)?.length ?? 0) >= DOCUMENTS) repeated++
    }
    return rows > 0 && repeated >= SHARE * rows
  }
}

function* rowsOf(words: Word[]): Generator<number> {
  for (let at = 0; at + ROW <= words.length; at++) {
    let hash = 0x811c9dc5
    for (let next = at; next < at + ROW; next++) {
      const { text } = words[next]
      for (let unit = 0; unit < text.length; unit++) {
        hash = Math.imul(hash ^ (text.charCodeAt(unit) | 0x20), 0x01000193)
      }
      hash = Math.imul(hash ^ 0x1f, 0x01000193)
    }
    yield hash
  }
}
